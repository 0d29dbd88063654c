export type { TrailTrust, TrustedKey } from './check-request.ts';
export * from './event.ts';
export * from './verify-trail.ts';
