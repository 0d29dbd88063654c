import { fileURLToPath } from 'node:url';
import { type KeyDirectory, type Setting, url } from '@deadlatch/http';
import type { BlobStore } from './blob-store.ts';
import { createFileBlobs } from './file-blobs.ts';
import { createS3Blobs } from './s3-blobs.ts';

/** 15 MB in the time that a command may take. */
const REQUEST_MS = 8_000;
const S3 = 's3:';

/** `file:` and a folder, or `s3:` before the address of a bucket: `s3:https://s3.example/photos`. */
export function objectStoreUrl(): Setting<string> {
  const [folder, bucket] = [url('file'), url('https', 'http')];
  return {
    form: 'file: and a folder, or s3: before the http(s) address of a bucket',
    parse: (text) => {
      if (!text.startsWith(S3)) return folder.parse(text);
      const address = bucket.parse(text.slice(S3.length));
      // The bucket is the path: one name, as the service's addresses have it.
      const isBucket =
        address !== undefined && /^\/[a-z0-9][a-z0-9.-]{1,62}$/.test(new URL(address).pathname);
      return isBucket ? `${S3}${address}` : undefined;
    },
  };
}

/**
 * Opens the place that the operator chose. Credentials are files of the key directory, `s3-access-key-id` and
 * `s3-secret-access-key`: an environment can be read by whoever may list processes.
 * @param url as `objectStoreUrl` gave it
 * @throws ConfigError when a credential is missing
 */
export function openBlobs(options: {
  readonly url: string;
  readonly region: string;
  readonly keyDir: Pick<KeyDirectory, 'secret'>;
  readonly fetch: typeof fetch;
}): BlobStore {
  const { url: address, region, keyDir, fetch } = options;
  if (!address.startsWith(S3)) return createFileBlobs(fileURLToPath(address));
  const place = {
    bucketUrl: address.slice(S3.length),
    region,
    accessKeyId: keyDir.secret('s3-access-key-id').reveal(),
    secretAccessKey: keyDir.secret('s3-secret-access-key').reveal(),
  };
  return createS3Blobs({ place, fetch, timeoutMs: REQUEST_MS });
}
