import { refuse } from './errors.ts';

declare const brand: unique symbol;
/** A whole number of US cents within ±10^11 (one thousand million dollars), so sums stay exact in a double. */
export type Cents = number & { readonly [brand]: 'cents' };

const LIMIT = 100_000_000_000;

/** Proves that `value` is a whole number of cents in range. @throws DispatchError `schema_mismatch` */
export function cents(value: number): Cents {
  if (!Number.isSafeInteger(value) || Math.abs(value) > LIMIT) {
    refuse('schema_mismatch', { detail: 'not a whole number of cents in range' });
  }
  return value as Cents;
}

/** Exact sum; refuses instead of overflowing. @throws DispatchError `schema_mismatch` */
export function addCents(...amounts: readonly number[]): Cents {
  return cents(amounts.reduce((sum, amount) => sum + amount, 0));
}

/** `$1,234.50` — the only way an amount is written for a person. */
export function formatUsd(amountCents: number): string {
  const sign = amountCents < 0 ? '-' : '';
  const whole = Math.floor(Math.abs(amountCents) / 100).toString();
  const rest = (Math.abs(amountCents) % 100).toString().padStart(2, '0');
  return `${sign}$${whole.replace(/\B(?=(\d{3})+$)/g, ',')}.${rest}`;
}
