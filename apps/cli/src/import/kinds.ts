/** What a file of each kind holds. */
export const FILE_KINDS = {
  accounts: { columns: ['account'] },
  sites: { columns: ['account', 'site', 'time_zone', 'territory'] },
  assets: { columns: ['account', 'site', 'asset', 'kind', 'model', 'serial'] },
  technicians: { columns: ['technician', 'skills', 'territories'] },
  contacts: { columns: ['account', 'contact', 'site', 'may_request', 'name', 'phone', 'email'] },
} as const;
export type FileKind = keyof typeof FILE_KINDS;

/** Kinds whose every line is a command, in the order in which they are brought in: each may name what stands before it. */
export const ROW_COMMANDS = {
  accounts: 'account.create',
  sites: 'site.create',
  assets: 'asset.create',
  technicians: 'technician.create',
} as const;
export type RowKind = keyof typeof ROW_COMMANDS;
export const ROW_KINDS = Object.keys(ROW_COMMANDS) as readonly RowKind[];

export const KINDS = Object.keys(FILE_KINDS) as readonly FileKind[];

/** Of contacts an export holds this: who may do what where, and nothing that a person is known or reached by. */
export const CONTACTS_EXPORT = ['account', 'contact', 'site', 'may_request', 'approval_limit_cents'] as const;

/** By the name of the file. */
export const KIND_OF_FILE: ReadonlyMap<string, FileKind> = new Map(
  KINDS.map((kind) => [`${kind}.csv`, kind]),
);

/** Words of a cell that holds several. */
export const LIST_SEPARATOR = ';';

/** Rows that are on file, as `directory.list` answers them. */
export interface OnFile {
  readonly accounts: readonly { readonly id: string; readonly slug: string }[];
  readonly sites: readonly {
    readonly id: string;
    readonly account_id: string;
    readonly slug: string;
    readonly time_zone: string;
    readonly territory: string;
  }[];
  readonly assets: readonly {
    readonly id: string;
    readonly site_id: string;
    readonly kind: string;
    readonly slug: string;
    readonly model: string | null;
    readonly serial: string | null;
  }[];
  readonly technicians: readonly {
    readonly id: string;
    readonly slug: string;
    readonly skills: readonly string[];
    readonly territories: readonly string[];
  }[];
  /** One for each place at which a contact may do something. */
  readonly contacts: readonly ContactOnFile[];
}

export interface ContactOnFile {
  /** Of the right at this place. */
  readonly id: string;
  readonly contact_id: string;
  readonly account_id: string;
  /** null: every site of the account. */
  readonly site_id: string | null;
  readonly may_request: boolean;
  readonly approval_limit_cents: number;
  readonly state: string;
  /** null for somebody who did not come on file in a batch. */
  readonly slug: string | null;
}

/** The rows on file as lines of files, each cell as its column has it. */
export function linesOnFile(onFile: OnFile): Readonly<Record<RowKind, readonly FileLine[]>> {
  const accounts = new Map(onFile.accounts.map(({ id, slug }) => [id, slug]));
  const sites = new Map(
    onFile.sites.map(({ id, account_id, slug }) => [
      id,
      { account: accounts.get(account_id) ?? '', site: slug },
    ]),
  );
  const words = (list: readonly string[]) => [...list].sort().join(LIST_SEPARATOR);
  return {
    accounts: onFile.accounts.map(({ id, slug }) => ({ id, cells: { account: slug } })),
    sites: onFile.sites.map(({ id, account_id, slug, time_zone, territory }) => ({
      id,
      cells: { account: accounts.get(account_id) ?? '', site: slug, time_zone, territory },
    })),
    assets: onFile.assets.map(({ id, site_id, kind, slug, model, serial }) => ({
      id,
      cells: {
        ...(sites.get(site_id) ?? { account: '', site: '' }),
        ...{ asset: slug, kind, model: model ?? '', serial: serial ?? '' },
      },
    })),
    technicians: onFile.technicians.map(({ id, slug, skills, territories }) => ({
      id,
      cells: { technician: slug, skills: words(skills), territories: words(territories) },
    })),
  };
}

/** Contacts in force as lines of an export; who has no code is called by their id. */
export function contactLines(onFile: OnFile): readonly FileLine[] {
  const accounts = new Map(onFile.accounts.map(({ id, slug }) => [id, slug]));
  const sites = new Map(onFile.sites.map(({ id, slug }) => [id, slug]));
  return onFile.contacts
    .filter(({ state }) => state === 'ACTIVE')
    .map(({ id, contact_id, account_id, site_id, slug, may_request, approval_limit_cents }) => ({
      id,
      cells: {
        account: accounts.get(account_id) ?? '',
        contact: slug ?? contact_id,
        site: site_id === null ? '' : (sites.get(site_id) ?? ''),
        may_request: may_request ? 'yes' : 'no',
        approval_limit_cents: String(approval_limit_cents),
      },
    }));
}

export interface FileLine {
  readonly id: string;
  readonly cells: Readonly<Record<string, string>>;
}
