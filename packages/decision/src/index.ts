export * from './caller.ts';
export * from './changes.ts';
export * from './facts.ts';
export * from './rows.ts';
