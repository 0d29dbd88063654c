import assert from 'node:assert/strict';
import { test } from 'node:test';
import { verifies } from '../../../test/requirements.ts';
import { INCIDENT_DEFINITIONS, INCIDENT_TYPES, incidentType } from './incident-types/catalogue.ts';
import { MESSAGE_TEMPLATES } from './messages.ts';
import {
  MAX_CONTENT_VERSION,
  newestVersions,
  PUBLICATION_KINDS,
  RELEASED_VERSIONS,
  releasedVersions,
} from './publications.ts';

test('what can be published is every version of every type and template, counted from 1', () => {
  verifies('C.8', 'I.3');
  const names = { incident_type: INCIDENT_TYPES, template: MESSAGE_TEMPLATES };
  let seen = 0;
  for (const kind of PUBLICATION_KINDS) {
    for (const name of names[kind]) {
      const versions = releasedVersions(kind, name);
      assert.deepEqual(
        versions,
        versions.map((_, at) => at + 1),
        name,
      );
      assert.ok(versions.length > 0 && versions.length <= MAX_CONTENT_VERSION, name);
      seen += versions.length;
    }
  }
  assert.equal(seen, RELEASED_VERSIONS.length);
  for (const { type, version } of INCIDENT_DEFINITIONS) {
    assert.ok(releasedVersions('incident_type', type).includes(version));
    assert.ok(incidentType(type, version));
  }
});

test('a name that the release does not know has no version, whatever kind it is asked for', () => {
  verifies('C.8');
  for (const name of ['constructor', '__proto__', '', 'M99', 'door_wont_latch']) {
    for (const kind of PUBLICATION_KINDS) assert.deepEqual(releasedVersions(kind, name), [], name);
  }
  assert.deepEqual(releasedVersions('template', 'DOOR_WONT_LATCH'), []);
  assert.deepEqual(releasedVersions('incident_type', 'M01'), []);
});

test('a new tenant begins with the newest version of each, and with one of each', () => {
  const first = newestVersions();
  assert.equal(first.length, INCIDENT_TYPES.length + MESSAGE_TEMPLATES.length);
  assert.equal(new Set(first.map(({ kind, name }) => `${kind} ${name}`)).size, first.length);
  for (const { kind, name, version } of first) {
    assert.equal(Math.max(...releasedVersions(kind, name)), version, name);
  }
});
