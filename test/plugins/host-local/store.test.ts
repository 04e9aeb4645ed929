/** The store on disk: what CHECK, DEL and GC make of what lies in it, who may read it, and what links cannot do. */
import { expect, test } from 'bun:test';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { output } from '../../support/program.ts';
import { check, collect, give, network, refusal, reservationsOf, storeOf, take } from './network.ts';

const ranges = [[{ subnet: '10.1.0.0/24' }]];
const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8);

test('files and directories have the reference’s modes; what is Fairlead’s own is root’s only', async () => {
  rmSync('/var/lib/cni/networks', { recursive: true, force: true });
  const config = network({ ranges });
  await give(config, 'a');
  const store = storeOf(config);
  const files = ['10.1.0.2', 'last_reserved_ip.0', 'lock'];
  expect(readdirSync(store).sort()).toEqual(files);
  expect(['', ...files].map((name) => modeOf(`${store}/${name}`))).toEqual(['755', '600', '600', '600']);
  const side = `/var/lib/cni/networks/.fairlead/${config.name}`;
  expect(['', '/owners', '/boot'].map((name) => modeOf(`${side}${name}`))).toEqual(['700', '700', '600']);
});

test('a missing /var/lib is made; DEL, CHECK and GC of what never was make nothing', async () => {
  const config = network({ ranges, dataDir: '/run/missing/lib/cni/networks' });
  await take(config, 'a');
  expect(await refusal('CHECK', { ...config, prevResult: { cniVersion: '1.0.0' } }, 'a')).toMatchObject({
    code: 102,
  });
  await collect(config, []);
  expect(existsSync('/run/missing')).toBe(false);
  expect(await give(config, 'a')).toEqual(['10.1.0.2/24']);
});

test('CHECK fails when the reservation was removed, or is another’s now', async () => {
  const config = network({ ranges });
  await give(config, 'a');
  await check(config, 'a');
  const withResult = { ...config, prevResult: { cniVersion: '1.0.0' } };
  writeFileSync(`${storeOf(config)}/10.1.0.2`, 'b\r\neth0');
  expect(await refusal('CHECK', withResult, 'a')).toMatchObject({
    code: 102,
    msg: 'no address is reserved for container a, interface eth0',
  });
  await check(config, 'b');
  rmSync(`${storeOf(config)}/10.1.0.2`);
  expect(await refusal('CHECK', withResult, 'b')).toMatchObject({ code: 102 });
});

test('GC keeps what is valid and frees the rest, of this network only', async () => {
  const [config, other] = [network({ ranges }), network({ ranges })];
  for (const id of ['a', 'b', 'c']) await give(config, id);
  await give(config, 'a', { ifname: 'eth1' });
  await give(other, 'b');
  const store = storeOf(config);
  writeFileSync(`${store}/10.1.0.20`, 'old-and-valid');
  writeFileSync(`${store}/10.1.0.21`, 'old-and-gone');
  writeFileSync(`${store}/10.1.0.22`, '# the printer');
  writeFileSync(`${store}/10.1.0.23`, '', { mode: 0o600 });
  writeFileSync(`${store}/10.1.0.24`, '', { mode: 0o644 });
  await collect(config, ['a', 'c', 'old-and-valid']);
  expect(reservationsOf(config)).toEqual({
    '10.1.0.2': 'a/eth0',
    '10.1.0.4': 'c/eth0',
    '10.1.0.20': 'old-and-valid',
    '10.1.0.22': '# the printer',
    '10.1.0.24': '',
  });
  expect(reservationsOf(other)).toEqual({ '10.1.0.2': 'b/eth0' });
  await take(config, 'old-and-valid');
  await collect(config, []);
  expect(Object.keys(reservationsOf(config))).toEqual(['10.1.0.22', '10.1.0.24']);
});

test('what is no reservation keeps its address taken and does not stop DEL', async () => {
  const config = network({ ranges });
  const store = storeOf(config);
  mkdirSync(`${store}/10.1.0.2`, { recursive: true });
  writeFileSync(`${store}/10.1.0.3`, Buffer.from([0, 255, 13, 10, 0]));
  writeFileSync(`${store}/10.1.0.4`, 'x'.repeat(1 << 20));
  await output(['mkfifo', `${store}/10.1.0.5`]);
  symlinkSync('/run/nowhere', `${store}/10.1.0.6`);
  writeFileSync(`${store}/last_reserved_ip.0`, 'garbage\0');
  const before = readdirSync(store).sort();
  expect(await give(config, 'a')).toEqual(['10.1.0.7/24']);
  await take(config, 'a');
  await collect(config, []);
  expect(readdirSync(store).sort()).toEqual([...before, 'lock']);
  expect(existsSync('/run/nowhere')).toBe(false);
});

test('last_reserved_ip that is a directory: one clear error, and no address is kept', async () => {
  const config = network({ ranges });
  mkdirSync(`${storeOf(config)}/last_reserved_ip.0`, { recursive: true });
  expect(await refusal('ADD', config, 'a')).toMatchObject({
    code: 5,
    msg: expect.stringContaining(`cannot keep reservations in ${storeOf(config)}: `),
  });
  expect(readdirSync(storeOf(config)).sort()).toEqual(['last_reserved_ip.0', 'lock']);
});

test('links in the store are not written through, and what they lead to is not taken for a reservation', async () => {
  const config = network({ ranges });
  const store = storeOf(config);
  mkdirSync(store, { recursive: true });
  writeFileSync('/run/precious', 'a\r\neth0');
  for (const name of ['10.1.0.2', 'last_reserved_ip.0', '.fairlead-new']) {
    symlinkSync('/run/precious', `${store}/${name}`);
  }
  await take(config, 'a');
  expect(await give(config, 'b')).toEqual(['10.1.0.3/24']);
  await collect(config, []);
  expect(readFileSync('/run/precious', 'utf8')).toBe('a\r\neth0');
  expect(readlinkSync(`${store}/10.1.0.2`)).toBe('/run/precious');
  expect(lstatSync(`${store}/last_reserved_ip.0`).isFile()).toBe(true);
});

test('a network’s directory may be a link, to another file system as well, as the reference allows', async () => {
  const config = network({ ranges });
  mkdirSync('/run/elsewhere', { recursive: true });
  await output(['mount', '-t', 'tmpfs', 'elsewhere', '/run/elsewhere']);
  mkdirSync('/var/lib/cni/networks', { recursive: true });
  symlinkSync('/run/elsewhere', storeOf(config));
  await give(config, 'a');
  expect(await give(config, 'b')).toEqual(['10.1.0.3/24']);
  await take(config, 'a');
  expect(readdirSync('/run/elsewhere').sort()).toEqual(['10.1.0.3', 'last_reserved_ip.0', 'lock']);
});

test('a file where the network’s directory would be', async () => {
  const config = network({ ranges });
  mkdirSync('/var/lib/cni/networks', { recursive: true });
  writeFileSync(storeOf(config), '');
  expect(await refusal('ADD', config)).toMatchObject({
    code: 5,
    msg: expect.stringContaining(storeOf(config)),
  });
});

test.each([
  ['..', 7],
  ['a/b', 7],
  ['../../etc', 7],
  ['.hidden', 7],
  ['', 7],
  ['a\0b', 7],
  ['a\nb', 7],
])('a network named %j is refused', async (name, code) => {
  const before = readdirSync('/var/lib/cni/networks');
  expect(await refusal('ADD', { ...network({ ranges }), name })).toMatchObject({ code });
  expect(readdirSync('/var/lib/cni/networks')).toEqual(before);
});

test.each(['networks', './networks', '../networks'])(
  'dataDir %j is refused: it would depend on where we are',
  async (dataDir) => {
    expect(await refusal('ADD', network({ ranges, dataDir }))).toMatchObject({
      code: 7,
      msg: `\`ipam.dataDir\` of plugin \`host-local\`: must be an absolute path, got "${dataDir}"`,
    });
  },
);
