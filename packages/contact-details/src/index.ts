export * from './details.ts';
export * from './phone-number.ts';
