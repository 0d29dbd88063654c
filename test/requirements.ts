/** Says which requirements of the threat model a test proves; the coverage gate reads these calls. */
export function verifies(...ids: string[]): void {
  if (ids.length === 0) throw new Error('verifies() needs at least one requirement id');
}
