import assert from 'node:assert/strict';
import { test } from 'node:test';
import { verifies } from '../../../../test/requirements.ts';
import { wantedEvidence } from './wanted-evidence.ts';

interface Wanted {
  readonly key: string;
  readonly required: boolean;
  readonly possible: boolean;
}
const wanted = (type: string, version: number, rest: Record<string, string | Record<string, string>> = {}) =>
  wantedEvidence({ incident_type: type, incident_version: version, ...rest }) as unknown as Wanted[] | null;
const keys = (list: Wanted[] | null, which: (item: Wanted) => boolean = () => true) =>
  (list ?? []).filter(which).map((item) => item.key);

test('a page asks for what the ticket’s own version asks for, and a newer version changes nothing', () => {
  verifies('I.3');
  assert.deepEqual(
    keys(wanted('DOOR_WONT_LATCH', 1), (item) => item.required),
    ['photo.before.edge_and_strike', 'photo.after.latched', 'photo.after.gap_visible'],
  );
  assert.ok(keys(wanted('DOOR_WONT_LATCH', 2)).includes('photo.before.site_overview'));
  assert.equal(wanted('DOOR_WONT_LATCH', 3), null);
  assert.equal(wanted('constructor', 1), null);
  assert.equal(wantedEvidence({ incident_type: null, incident_version: null }), null);
});

test('what an answer hides is not shown, and what may still be demanded is told apart from what is', () => {
  verifies('I.3');
  const label = 'photo.before.label';
  const fire = (said: string) => wanted('FIRE_DOOR_DEFICIENCY', 1, { answers: { label_present: said } });
  assert.ok(keys(fire('unknown'), (item) => item.required).includes(label));
  assert.ok(!keys(fire('no')).includes(label));
  const posted = 'photo.after.door_off_and_posted';
  const sensor = wanted('AUTO_SENSOR_SAFETY', 1)?.find((item) => item.key === posted);
  assert.deepEqual([sensor?.required, sensor?.possible], [false, true]);
  const change = wanted('AUTO_SENSOR_SAFETY', 1)?.find((item) => item.key.startsWith('photo.change.'));
  assert.deepEqual([change?.required, change?.possible], [false, false]);
  const glass = wanted('GLASS_OR_FRAME_DAMAGE', 1, { outcome: 'RESOLVED' });
  assert.ok(keys(glass, (item) => item.required).includes('photo.after.glass_label'));
});
