import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { verifies } from '../../../test/requirements.ts';
import { until } from '../../../test/support/signed-peer.ts';
import { isReady, startLogWorld } from './sequencer.fixture.ts';

describe('sequencing', () => {
  it('gives every event one index and publishes a cosigned checkpoint over all of them', async (t) => {
    verifies('F.4');
    const world = await startLogWorld(t);
    await world.addEvents(3);
    const sequencer = await world.start();
    await until(() => isReady(sequencer.url));
    await world.assertWholeLog();
    await world.addEvents(700);
    await world.assertWholeLog();
    for (let n = 0; n < 5; n += 1) await world.addEvents(1);
    await world.assertWholeLog();
    assert.equal(world.publishedSize(), 708);
  });
});
