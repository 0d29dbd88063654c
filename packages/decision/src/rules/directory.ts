import { type AssetKind, DEFAULT_CONTRACT } from '@deadlatch/catalogue';
import { refuse } from '@deadlatch/kernel';
import { asked, directoryOf } from '../act.ts';
import type { ContractFacts, SiteRow, TechnicianRow } from '../directory-rows.ts';
import { changed } from '../need.ts';
import { type Outcome, type RuleContext, rule } from '../rule.ts';
import { activeRow, requireFreeSlug, requireSomething, requireTimeZone } from './on-file.ts';
import { type Opening, openingOf, type Plan, planOf } from './on-file-plan.ts';

export const ACCOUNT_CREATE = rule<{ readonly slug: string }>('account.create', {
  run: (context) => {
    requireFreeSlug(context);
    const { caller, input, tools } = context;
    const account = {
      tenant_id: caller.tenantId,
      id: tools.newId(),
      version: 1,
      state: 'ACTIVE' as const,
      slug: input.slug,
      contract: DEFAULT_CONTRACT,
    };
    return { changes: { account }, details: { account_id: account.id }, result: { account_id: account.id } };
  },
});

interface AccountChange {
  readonly slug?: string;
  readonly contract?: Omit<ContractFacts, 'desk_hours'> & {
    readonly desk_hours?: NonNullable<ContractFacts['desk_hours']>;
  };
}

/** A contract says how much may be spent unasked: two persons confirm its figures. */
export const ACCOUNT_CHANGE = asked<AccountChange>('account.change', {
  terms: ({ input }) =>
    input.contract === undefined
      ? null
      : { assurance: 'L2', deciders: 2, roles: ['admin', 'supervisor'] as const },
  target: ({ account }) => account,
  settle: (context): Outcome => {
    const { input } = context;
    requireSomething(input);
    const before = activeRow(directoryOf(context).account);
    if (input.slug !== undefined) requireFreeSlug(context);
    const { contract } = input;
    const account = changed(before, {
      ...(input.slug !== undefined && { slug: input.slug }),
      ...(contract !== undefined && { contract: { ...contract, desk_hours: contract.desk_hours ?? null } }),
    });
    return {
      changes: { account },
      details: { account_id: account.id, ...(contract !== undefined && amountsOf(contract)) },
      result: { account_id: account.id },
    };
  },
});

function amountsOf(contract: NonNullable<AccountChange['contract']>) {
  return {
    nte_routine_cents: contract.nte_cents.ROUTINE,
    nte_urgent_cents: contract.nte_cents.URGENT,
    nte_emergency_cents: contract.nte_cents.EMERGENCY,
    labor_cents_per_hour: contract.labor_cents_per_hour,
    trip_cents: contract.trip_cents,
  };
}

interface SiteInput {
  readonly account_id: string;
  readonly slug: string;
  readonly time_zone: string;
  readonly territory: string;
  readonly schedule?: Opening;
}

export const SITE_CREATE = rule<SiteInput>('site.create', {
  run: (context) => {
    const { caller, input, tools } = context;
    const account = activeRow(directoryOf(context).account);
    if (account.id !== input.account_id) refuse('not_found', { detail: 'account' });
    requireFreeSlug(context);
    requireTimeZone(input.time_zone);
    const site = {
      tenant_id: caller.tenantId,
      id: tools.newId(),
      version: 1,
      state: 'ACTIVE' as const,
      account_id: account.id,
      slug: input.slug,
      time_zone: input.time_zone,
      territory: input.territory,
    };
    return siteOutcome(context, site, input.schedule);
  },
});

export const SITE_CHANGE = rule<Partial<Omit<SiteInput, 'account_id'>>>('site.change', {
  run: (context) => {
    const { input } = context;
    requireSomething(input);
    if (input.slug !== undefined) requireFreeSlug(context);
    if (input.time_zone !== undefined) requireTimeZone(input.time_zone);
    const { schedule, ...patch } = input;
    return siteOutcome(context, changed(activeRow(directoryOf(context).site), patch), schedule);
  },
});

function siteOutcome(context: RuleContext, site: SiteRow, opening: Opening | undefined): Outcome {
  return {
    changes: { site, ...(opening !== undefined && { site_schedule: openingOf(context, site, opening) }) },
    details: { site_id: site.id, has_schedule: opening !== undefined },
    result: { site_id: site.id },
  };
}

interface AssetInput {
  readonly site_id: string;
  readonly kind: AssetKind;
  readonly slug: string;
  readonly model?: string;
  readonly serial?: string;
}

export const ASSET_CREATE = rule<AssetInput>('asset.create', {
  run: (context) => {
    const { caller, input, tools } = context;
    const site = activeRow(directoryOf(context).site);
    if (site.id !== input.site_id) refuse('not_found', { detail: 'site' });
    requireFreeSlug(context);
    const asset = {
      tenant_id: caller.tenantId,
      id: tools.newId(),
      version: 1,
      state: 'ACTIVE' as const,
      account_id: site.account_id,
      site_id: site.id,
      kind: input.kind,
      slug: input.slug,
      model: input.model ?? null,
      serial: input.serial ?? null,
    };
    return { changes: { asset }, details: { asset_id: asset.id }, result: { asset_id: asset.id } };
  },
});

export const ASSET_CHANGE = rule<Partial<Pick<AssetInput, 'slug' | 'model' | 'serial'>>>('asset.change', {
  run: (context) => {
    requireSomething(context.input);
    if (context.input.slug !== undefined) requireFreeSlug(context);
    return assetOutcome(context, { ...context.input });
  },
});

export const ASSET_RETIRE = rule('asset.retire', {
  run: (context) => assetOutcome(context, { state: 'INACTIVE' }),
});

function assetOutcome(
  context: RuleContext,
  patch: { readonly state?: 'INACTIVE'; readonly slug?: string; readonly model?: string },
): Outcome {
  const asset = changed(activeRow(directoryOf(context).asset), patch);
  return { changes: { asset }, details: { asset_id: asset.id }, result: { asset_id: asset.id } };
}

interface TechnicianInput {
  readonly slug: string;
  readonly skills: readonly string[];
  readonly territories: readonly string[];
  readonly schedule?: Plan;
}

export const TECHNICIAN_CREATE = rule<TechnicianInput>('technician.create', {
  run: (context) => {
    const { caller, input, tools } = context;
    requireFreeSlug(context);
    const technician = {
      tenant_id: caller.tenantId,
      id: tools.newId(),
      version: 1,
      state: 'ACTIVE' as const,
      person_id: tools.newId(),
      slug: input.slug,
      skills: once(input.skills),
      territories: once(input.territories),
    };
    return technicianOutcome(context, technician, input.schedule);
  },
});

export const TECHNICIAN_CHANGE = rule<Partial<Omit<TechnicianInput, 'slug'>>>('technician.change', {
  run: (context) => {
    const { skills, territories, schedule } = context.input;
    requireSomething(context.input);
    const technician = changed(activeRow(directoryOf(context).technician), {
      ...(skills !== undefined && { skills: once(skills) }),
      ...(territories !== undefined && { territories: once(territories) }),
    });
    return technicianOutcome(context, technician, schedule);
  },
});

export const TECHNICIAN_DEACTIVATE = rule('technician.deactivate', {
  run: (context) => {
    const technician = changed(activeRow(directoryOf(context).technician), { state: 'INACTIVE' });
    return technicianOutcome(context, technician, undefined);
  },
});

function technicianOutcome(context: RuleContext, technician: TechnicianRow, plan: Plan | undefined): Outcome {
  const { id } = technician;
  const schedule = plan === undefined ? {} : { technician_schedule: planOf(context, technician, plan) };
  return {
    changes: { technician, ...schedule },
    details: { technician_id: id, has_schedule: plan !== undefined },
    result: { technician_id: id },
  };
}

function once(words: readonly string[]): readonly string[] {
  return [...new Set(words)].sort();
}
