/** The wire, as far as an upload needs it. Each rejects when nobody answered or the answer was a refusal. */
export interface UploadWire {
  /** An address that is good for a while; the same upload every time. */
  readonly renew: () => Promise<string>;
  /** How many bytes have been stored. */
  readonly stands: (address: string) => Promise<number>;
  /** Sends bytes from there on; answers how many have been stored then. */
  readonly send: (address: string, offset: number, bytes: Blob) => Promise<number>;
  /** Milliseconds. */
  readonly pause: (ms: number) => Promise<void>;
  /** Whether trying again can help. */
  readonly isPassing: (error: unknown) => boolean;
}

/** So much is sent again at most when a connection is cut, and shown as one step. */
const PIECE_BYTES = 512 * 1024;
/** Two minutes in all: a lift, a cellar, a dead spot. */
const TRIES_IN_A_ROW = 10;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 15_000;

/**
 * Uploads a photo piece by piece. After a cut it asks how far the upload is and goes on from there, with an address
 * made anew, as often as something of it arrives in between.
 * @param tell how much of it has been stored, from 0 to 1
 * @throws what the wire threw last, when it does not pass or did so ten times without a byte in between
 */
export async function sendPhoto(photo: Blob, wire: UploadWire, tell: (share: number) => void): Promise<void> {
  let stored = 0;
  for (let failures = 0; ; ) {
    try {
      const address = await wire.renew();
      stored = await wire.stands(address);
      while (stored < photo.size) {
        tell(stored / photo.size);
        const now = await wire.send(address, stored, photo.slice(stored, stored + PIECE_BYTES));
        if (now > stored) failures = 0;
        stored = now;
      }
      tell(1);
      return;
    } catch (error) {
      failures += 1;
      if (!wire.isPassing(error) || failures >= TRIES_IN_A_ROW) throw error;
      await wire.pause(Math.min(FIRST_PAUSE_MS * 2 ** (failures - 1), LONGEST_PAUSE_MS));
    }
  }
}
