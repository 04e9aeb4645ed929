/** vrf on a kernel without vrf links: it says so, and changes nothing. */
// packages: iproute2
import { afterEach, expect, test } from 'bun:test';
import { kernelHasKind } from '../../kernel/iproute.ts';
import { del, failure } from '../../support/plugin.ts';
import { testUnless } from '../../support/unless.ts';
import { chainAfterBridge, refusedAdd, removeChains } from '../chain.ts';

afterEach(removeChains);

const unlessWithout = testUnless((await kernelHasKind('vrf')) ? 'this kernel has vrf links' : undefined);

unlessWithout('ADD and STATUS say what is missing, DEL finishes', async () => {
  const chain = await chainAfterBridge({ type: 'vrf', vrfname: 'blue' });
  expect(await refusedAdd(chain)).toMatchObject({
    code: 2,
    msg: '`vrfname` of plugin `vrf`: blue cannot be made, this kernel has no vrf links',
  });
  await del(chain.call);
  const config = { ...chain.call.config, cniVersion: '1.1.0', prevResult: undefined };
  expect(await failure({ plugin: 'vrf', command: 'STATUS', config })).toMatchObject({
    code: 50,
    msg: 'vrf needs vrf links (the module vrf), which this kernel has not',
  });
});

test.each([
  [{}, '`vrfname` of plugin `vrf` is missing: it must be a text'],
  [{ vrfname: '' }, '`vrfname` of plugin `vrf` must not be empty'],
  [{ vrfname: 'a/b' }, '`vrfname` of plugin `vrf` must not have'],
  [{ vrfname: 'sixteen-bytes-xx' }, '`vrfname` of plugin `vrf` must have at most 15 bytes'],
  [{ vrfname: 'blue', table: -1 }, '`table` of plugin `vrf` must be 0–4294967295, got -1'],
  [{ vrfname: 'lo' }, '`vrfname` of plugin `vrf`: "lo" exists and is a link without a kind, not a vrf'],
])('%j is wrong', async (keys, message) => {
  const { code, msg } = await refusedAdd(await chainAfterBridge({ type: 'vrf', ...keys }));
  expect({ code, msg }).toEqual({ code: 7, msg: expect.stringContaining(message) });
});
