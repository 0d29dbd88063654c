import { refuse } from '@deadlatch/kernel';
import { type RuleContext, rule } from '../rule.ts';

interface Input {
  readonly scope: 'tenant' | 'account' | 'ticket';
  readonly scope_id?: string;
}

/** Stops agents, and only agents: people's commands never look at it. */
export const PAUSE = rule<Input>('autonomy.pause', {
  run: (context) => {
    const pause = scopeOf(context);
    return { changes: { pause }, details: { ...pause } };
  },
});

export const UNPAUSE = rule<Input>('autonomy.resume', {
  run: (context) => {
    const unpause = scopeOf(context);
    return { changes: { unpause }, details: { ...unpause } };
  },
});

/** A scope that exists in this tenant; anything else is unknown. */
function scopeOf({ caller, facts, input }: RuleContext<Input>): { scope: Input['scope']; scope_id: string } {
  const { scope, scope_id: id } = input;
  if (scope === 'tenant') {
    if (id !== undefined && id !== caller.tenantId) refuse('not_found', { detail: 'tenant' });
    return { scope, scope_id: caller.tenantId };
  }
  if (id === undefined) return refuse('schema_mismatch', { extra: { fields: ['/scope_id'] } });
  const isKnown =
    scope === 'account'
      ? facts.account?.id === id
      : facts.ticket?.id === id && facts.ticket.tenant_id === caller.tenantId;
  if (!isKnown) refuse('not_found', { detail: scope });
  return { scope, scope_id: id };
}
