/** What a file of each kind holds, in the order in which they are brought in: each may name what stands before it. */
export const FILE_KINDS = {
  accounts: { command: 'account.create', columns: ['account'] },
  sites: { command: 'site.create', columns: ['account', 'site', 'time_zone', 'territory'] },
  assets: { command: 'asset.create', columns: ['account', 'site', 'asset', 'kind', 'model', 'serial'] },
  technicians: { command: 'technician.create', columns: ['technician', 'skills', 'territories'] },
} as const;
export type FileKind = keyof typeof FILE_KINDS;

export const KINDS = Object.keys(FILE_KINDS) as readonly FileKind[];

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
}

/** The rows on file as lines of files, each cell as its column has it. */
export function linesOnFile(onFile: OnFile): Readonly<Record<FileKind, readonly FileLine[]>> {
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

export interface FileLine {
  readonly id: string;
  readonly cells: Readonly<Record<string, string>>;
}
