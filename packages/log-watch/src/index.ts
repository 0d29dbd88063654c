export * from './log-watch.ts';
export * from './refuse-while-behind.ts';
