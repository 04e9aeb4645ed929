/** CHECK names whatever is not as ADD left it; STATUS. */
import { afterAll, beforeEach, expect, test } from 'bun:test';
import { readFileSync, writeFileSync } from 'node:fs';
import { status } from '../../support/plugin.ts';
import {
  type Attached,
  attach,
  call,
  cleanUp,
  elements,
  nft,
  node6,
  publishImagined,
  ruleset,
} from './network.ts';

let one: Attached;
const options = {
  mappings: [
    { hostPort: 8080, containerPort: 80, protocol: 'tcp' },
    { hostPort: 53, containerPort: 5353, protocol: 'udp', hostIP: node6 },
  ],
};

beforeEach(async () => {
  await cleanUp();
  one = await publishImagined('one', 1, options);
});
afterAll(cleanUp);

/** What CHECK says: its message and details as one text; empty if all is well. */
async function checked(config: object = one.config): Promise<string> {
  const { exitCode, json } = await call('CHECK', one, config);
  if (exitCode === 0) return '';
  const { code, msg, details } = json as { code: number; msg: string; details?: string };
  expect(code).toBe(102);
  return details === undefined ? msg : `${msg}; ${details}`;
}

test('all is well', async () => {
  await publishImagined('two', 2, { mappings: [{ hostPort: 9999, containerPort: 80 }] });
  expect(await checked()).toBe('');
});

test('every element taken away is named', async () => {
  const all = await elements();
  expect(all).toHaveLength(9);
  const maps = (await nft('list', 'maps', 'inet')).split(/\n\tmap /).slice(1);
  for (const map of maps.filter((text) => text.includes('elements'))) {
    const name = map.split(' ')[0] ?? '';
    for (const [, key, value] of map.matchAll(/(?:= \{ |\t {5})(.*?) comment "[^"]*" : (.*?)(?:,| \})\n/g)) {
      await nft(`delete element inet fairlead ${name} { ${key} }`);
      const said = await checked();
      expect(said).toContain(`map inet fairlead ${name} { `);
      expect(said).toContain('is missing');
      expect(said).toContain(value?.split(' ').at(-1) ?? '-');
      await nft(`add element inet fairlead ${name} { ${key} comment "cni0 one eth0" : ${value} }`);
      expect(await checked()).toBe('');
    }
  }
});

test('an element of somebody else, or that leads elsewhere', async () => {
  const replace = (owner: string, target: string) =>
    nft(
      `delete element inet fairlead portmap-target4 { tcp . 8080 }; add element inet fairlead portmap-target4 { tcp . 8080 comment "${owner}" : ${target} }`,
    );
  await replace('cni0 two eth0', '10.99.0.1 . 80');
  expect(await checked()).toContain('belongs to container two (network cni0, interface eth0)');
  await replace('by hand', '10.99.0.1 . 80');
  expect(await checked()).toContain('belongs to "by hand"');
  await replace('cni0 one eth0', '10.99.0.1 . 81');
  expect(await checked()).toContain('has 10.99.0.1 . 81 instead');
});

test('every rule and every chain taken away is named', async () => {
  const listed = JSON.parse(await nft('-j', 'list', 'table', 'inet', 'fairlead')) as { nftables: Listed[] };
  const rules = listed.nftables.flatMap(({ rule }) => rule ?? []);
  expect(rules.length).toBeGreaterThanOrEqual(16);
  for (const [index, { chain, comment }] of rules.entries()) {
    await cleanUp();
    one = await publishImagined('one', 1, options);
    const again = (
      JSON.parse(await nft('-j', 'list', 'table', 'inet', 'fairlead')) as { nftables: Listed[] }
    ).nftables.flatMap(({ rule }) => rule ?? []);
    await nft('delete', 'rule', 'inet', 'fairlead', chain, 'handle', String(again[index]?.handle));
    expect(await checked()).toContain(`chain inet fairlead ${chain} has no rule "${comment}"`);
  }
  for (const chain of ['portmap-prerouting', 'portmap-output', 'portmap-localnet', 'portmap-masquerade-13']) {
    await cleanUp();
    one = await publishImagined('one', 1, options);
    await nft('delete', 'chain', 'inet', 'fairlead', chain);
    expect(await checked()).toContain(`chain inet fairlead ${chain} is missing`);
  }
});

interface Listed {
  readonly rule?: { readonly chain: string; readonly comment: string; readonly handle: number };
}

test('a rule too many, the version, the table, everything', async () => {
  await nft('add rule inet fairlead portmap-prerouting counter');
  expect(await checked()).toContain(
    'chain inet fairlead portmap-prerouting has 2 rules, not the 1 that were written',
  );
  await nft('delete chain inet fairlead portmap-v1');
  expect(await checked()).toContain('table inet fairlead has no rules for portmap of version 1');
  await nft('delete table inet fairlead');
  expect(await checked()).toContain('table inet fairlead has no rules for portmap of version 1');
  await publishImagined('one', 1, options);
  expect(await checked()).toBe('');
});

test('ADD repairs what another version or somebody’s hand left of the rules, and keeps the elements', async () => {
  const before = await ruleset();
  await nft(
    'rename chain inet fairlead portmap-v1 portmap-v99; flush chain inet fairlead portmap-any; add rule inet fairlead portmap-any drop',
  );
  await publishImagined('two', 2, { mappings: [{ hostPort: 9999, containerPort: 80 }] });
  expect(await checked()).toBe('');
  await call('DEL', { ...one, id: 'two' }, one.config);
  expect(await ruleset()).toBe(before);
});

test('route_localnet', async () => {
  const real = await attach('real', { mappings: [{ hostPort: 1, containerPort: 1 }] });
  const file = '/proc/sys/net/ipv4/conf/cni0/route_localnet';
  expect((await call('CHECK', real, real.config)).exitCode).toBe(0);
  expect(readFileSync(file, 'utf8').trim()).toBe('1');
  writeFileSync(file, '0');
  expect((await call('CHECK', real, real.config)).json).toMatchObject({
    code: 102,
    msg: 'sysctl net/ipv4/conf/cni0/route_localnet is not 1: published ports cannot be reached by 127.0.0.1',
  });
});

test('without ports there is nothing to check', async () => {
  expect(await checked({ ...one.config, runtimeConfig: undefined })).toBe('');
});

test('STATUS', async () => {
  await status({ plugin: 'portmap', config: { cniVersion: '1.1.0', name: 'cni0', type: 'portmap' } });
});
