export * from './event.ts';
export * from './verify-trail.ts';
