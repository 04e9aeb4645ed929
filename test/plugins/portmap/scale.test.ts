/** What grows with containers and what does not: rules, the kernel's answers to one ADD or DEL, long lists of ports. */
// packages: strace
import { afterEach, expect, test } from 'bun:test';
import { dist } from '../../support/plugin.ts';
import { output } from '../../support/program.ts';
import { limit } from '../../support/sandbox.ts';
import { call, cleanUp, elements, imagine, nft, publishImagined, ruleset, unpublish } from './network.ts';

afterEach(cleanUp);

/** So many ports from a first one on, of TCP. */
function ports(first: number, count: number) {
  return {
    mappings: Array.from({ length: count }, (_, index) => ({
      hostPort: first + index,
      containerPort: 80,
      protocol: 'tcp',
    })),
  };
}

const atOnce = 8;

/** So many containers with ports of their own. */
async function fill(containers: number, portsEach: number): Promise<void> {
  for (let start = 0; start < containers; start += atOnce) {
    const numbers = Array.from({ length: Math.min(atOnce, containers - start) }, (_, index) => start + index);
    await Promise.all(
      numbers.map((number) =>
        publishImagined(`f${number}`, number + 10, ports(10_000 + number * portsEach, portsEach)),
      ),
    );
  }
}

/** The ruleset without elements. */
async function rules(): Promise<string> {
  return (await ruleset('-t')).replaceAll(/ # handle \d+/g, '');
}

test(
  'with 200 containers the rules are those of one; only elements grow',
  async () => {
    await publishImagined('first', 1, ports(80, 2));
    const [before, count] = [await rules(), (await elements()).length];
    expect(before).toContain('jump portmap');
    expect(count).toBe(12);
    await fill(200, 2);
    expect(await rules()).toBe(before);
    expect(await elements()).toHaveLength(201 * 12);
  },
  limit(60),
);

/** How often a verb speaks with the kernel: every system call on a netlink socket that sends or receives. */
async function netlinkCalls(command: string, config: object): Promise<number> {
  const script = `strace -f -qq -e trace=sendto,sendmsg,recvfrom,recvmsg -o /run/trace "$0"; grep -cE 'nlmsg|NLMSG' /run/trace`;
  const count = await output(['sh', '-ec', script, `${dist}/cni/portmap`], {
    stdin: JSON.stringify(config),
    env: {
      PATH: process.env.PATH ?? '',
      CNI_COMMAND: command,
      CNI_CONTAINERID: 'one',
      CNI_NETNS: '/run/netns/one',
      CNI_IFNAME: 'eth0',
      CNI_PATH: dist,
    },
  });
  return Number(count.trim().split('\n').at(-1));
}

test(
  'with 2,000 ports of others, ADD, CHECK and DEL say and hear as much as with none',
  async () => {
    const one = imagine('one', 1, ports(80, 1));
    await publishImagined('other', 2, ports(81, 1));
    const verbs = ['ADD', 'CHECK', 'DEL', 'DEL'];
    const counts = async () => {
      const all = [];
      for (const verb of verbs) all.push(await netlinkCalls(verb, one.config));
      return all;
    };
    const few = await counts();
    await fill(100, 20);
    expect(await elements()).toHaveLength(2001 * 6);
    expect(await counts()).toEqual(few);
    // Not many, either: a reading is one call out and two in.
    const [add = 0, , del = 0, again = 0] = few;
    expect(add).toBeLessThanOrEqual(40);
    expect(del).toBeLessThanOrEqual(50);
    expect(again).toBeLessThanOrEqual(18);
  },
  limit(60),
);

test(
  '1,000 ports in one ADD: one transaction, CHECK, DEL',
  async () => {
    const one = imagine('one', 1, ports(1000, 1000));
    const start = performance.now();
    expect((await call('ADD', one, one.config)).exitCode).toBe(0);
    expect(await elements()).toHaveLength(6000);
    expect((await call('CHECK', one, one.config)).exitCode).toBe(0);
    await unpublish(one, { ...one.config, runtimeConfig: undefined });
    expect(await elements()).toEqual([]);
    expect(performance.now() - start).toBeLessThan(limit(10));
    expect(await nft('list', 'chains')).not.toContain('portmap-mark');
  },
  limit(60),
);
