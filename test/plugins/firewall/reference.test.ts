/** A node that is switched from the reference's plugin or back while containers run: DEL by either, whoever did ADD. */
// packages: containernetworking-plugins strace
import { afterEach, describe, expect, test } from 'bun:test';
import { add, del } from '../../support/plugin.ts';
import { output, runProgram } from '../../support/program.ts';
import { reference } from '../../support/reference.ts';
import {
  type Attached,
  checked,
  cleanUp,
  connect,
  createWorld,
  dropForwarded,
  elements,
  imagine,
  patience,
  reach,
  release,
  saved,
  type Variant,
  variants,
  world4,
  world6,
} from './network.ts';

afterEach(cleanUp, patience);

const outside = { address4: world4, address6: world6 };

/** The directory in which `iptables` is the one that is to be used: the reference executes it by that name. */
async function iptablesIs(variant: Variant): Promise<Record<string, string>> {
  const directory = `/run/iptables-${variant}`;
  await Bun.$`mkdir -p ${directory}`;
  for (const family of ['iptables', 'ip6tables'])
    await Bun.$`ln -sf ${Bun.which(`${family}-${variant}`)} ${directory}/${family}`;
  return { PATH: `${directory}:${process.env.PATH}` };
}

/** In the version that the packaged reference speaks. */
function configOf({ config, result }: Attached, keys: object = {}): object {
  return { ...config, ...keys, cniVersion: '1.0.0', prevResult: { ...result, cniVersion: '1.0.0' } };
}

describe.each(variants)('iptables-%s', (variant) => {
  test(
    'DEL removes the rules that the reference wrote for the container, and no other’s',
    async () => {
      await createWorld();
      const env = await iptablesIs(variant);
      await dropForwarded(variant);
      const byReference = async (name: string) => {
        const container = await connect(name);
        await add({
          plugin: 'firewall',
          container,
          config: configOf(container),
          binDirectory: reference,
          env,
        });
        return container;
      };
      const kept = await byReference('kept');
      const before = await saved(variant);
      const gone = await byReference('gone');
      expect(await reach(gone, outside, 5)).toBe('46');
      for (const _ of [1, 2]) {
        await del({ plugin: 'firewall', container: gone, config: configOf(gone) });
        expect(await saved(variant)).toEqual(before);
      }
      expect(await reach(gone, outside)).toBe('-');
      expect(await reach(kept, outside, 5)).toBe('46');
      await del({ plugin: 'firewall', container: kept, config: configOf(kept) });
      expect((await saved(variant)).filter((line) => /10\.88|fd88/.test(line))).toEqual([]);
    },
    patience,
  );

  test(
    'both at once use one CNI-FORWARD and one CNI-ADMIN; DEL by the reference of what ours added',
    async () => {
      await createWorld();
      const env = await iptablesIs(variant);
      await dropForwarded(variant);
      const [ours, theirs] = [await connect('ours'), await connect('theirs')];
      await add({ plugin: 'firewall', container: ours, config: configOf(ours) });
      const own = await saved(variant);
      await add({
        plugin: 'firewall',
        container: theirs,
        config: configOf(theirs),
        binDirectory: reference,
        env,
      });
      const jumps = (await saved(variant)).filter((line) => line.includes('-j CNI-'));
      expect(jumps).toEqual(own.filter((line) => line.includes('-j CNI-')));
      for (const one of [ours, theirs]) expect(await reach(one, outside, 5)).toBe('46');
      expect(await checked(ours)).toBe('');
      await del({
        plugin: 'firewall',
        container: ours,
        config: configOf(ours),
        binDirectory: reference,
        env,
      });
      await del({
        plugin: 'firewall',
        container: theirs,
        config: configOf(theirs),
        binDirectory: reference,
        env,
      });
      expect(await saved(variant)).toEqual(own);
      await del({ plugin: 'firewall', container: ours, config: configOf(ours) });
      expect(await elements()).toEqual([]);
    },
    patience,
  );

  test(
    'a container of ours after the reference’s: FORWARD’s rules are there, one for what is marked is added',
    async () => {
      await createWorld();
      const env = await iptablesIs(variant);
      await dropForwarded(variant);
      const theirs = await connect('theirs');
      const keys = { ingressPolicy: 'same-bridge' };
      await add({
        plugin: 'firewall',
        container: theirs,
        config: configOf(theirs, keys),
        binDirectory: reference,
        env,
      });
      const before = await saved(variant);
      const ours = await connect('ours');
      await add({ plugin: 'firewall', container: ours, config: configOf(ours) });
      const more = (await saved(variant)).filter((line) => !before.includes(line));
      expect(new Set(more).size).toBe(1);
      expect(more[0]).toContain('--mark 0x1000/0x1000');
      expect(await reach(ours, outside, 5)).toBe('46');
      expect(await checked(ours)).toBe('');
    },
    patience,
  );
});

test.each([
  ['iptables-legacy', '10.99.0.1'],
  ['ip6tables-legacy', 'fd99::1'],
])('%s: DEL removes from CNI-FORWARD exactly what the reference writes', async (program, address) => {
  const run = (line: string) => output([program, ...line.split(' ')]);
  const others = [
    `-s ${address} -j DROP`,
    `-s ${address} -i eth7 -j ACCEPT`,
    `-s ${address} -m mark --mark 1 -j ACCEPT`,
    `-s ${address} -d ${address} -j ACCEPT`,
    `! -s ${address} -j ACCEPT`,
    `-d ${address} -j ACCEPT`,
    `-d ${address} -p tcp -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT`,
    `-s ${address}/28 -j ACCEPT`,
  ];
  await run('-N CNI-FORWARD');
  for (const rule of others) await run(`-A CNI-FORWARD ${rule}`);
  const before = await saved('legacy');
  const one = imagine('one', 1);
  for (const _ of [1, 2]) {
    await run(`-I CNI-FORWARD 3 -s ${address} -j ACCEPT`);
    await run(`-I CNI-FORWARD -d ${address} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT`);
  }
  await release(one);
  expect(await saved('legacy')).toEqual(before);
});

test(
  'nothing is executed, whichever iptables the node has',
  async () => {
    const executed = async (verb: string, number: number) => {
      const { binDirectory } = await import('../../support/plugin.ts');
      const one = imagine(`c${number}`, number);
      const script = `CNI_COMMAND=${verb} CNI_CONTAINERID=c${number} CNI_NETNS=${one.netns} CNI_IFNAME=eth0 CNI_PATH=/nowhere strace -f -qq -o /run/trace -e trace=execve "$0"; grep -c 'execve(.* = 0' /run/trace`;
      const { stdout } = await runProgram(['sh', '-c', script, `${binDirectory}/firewall`], {
        stdin: JSON.stringify(one.config),
      });
      return Number(stdout.trim().split('\n').at(-1));
    };
    for (const [index, variant] of variants.entries()) {
      await dropForwarded(variant);
      const number = index + 1;
      for (const verb of ['STATUS', 'ADD', 'CHECK', 'DEL', 'DEL'])
        expect([verb, await executed(verb, number)]).toEqual([verb, 1]);
      expect((await saved(variant)).filter((line) => line.includes('0x1000/0x1000'))).toHaveLength(2);
    }
  },
  patience,
);
