import { text } from 'node:stream/consumers';
import { sentenceFor } from '@deadlatch/http';
import type { IssuerInput } from './up/certificates.ts';
import { issueCertificates } from './up/issue-certificates.ts';

/**
 * Issues what is asked for and ends. A process of its own: it alone reads the authority's key, for a second at a time, and
 * what it takes to make certificates is not kept in memory by a supervisor that needs it three times a day.
 */
try {
  const { place, which } = JSON.parse(await text(process.stdin)) as IssuerInput;
  await issueCertificates(place, Date.now(), which);
} catch (error) {
  process.stderr.write(sentenceFor(error, 'the authority or a key directory is not usable'));
  process.exitCode = 1;
}
