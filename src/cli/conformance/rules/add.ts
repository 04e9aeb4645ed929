/** ADD: SPEC.md section 2, "ADD", and section 3, "Lifecycle & Ordering". */
import { rtnetlink } from '../../../kernel/index.ts';
import { type Bench, describe, objectIn } from '../bench.ts';
import { fails, succeeds } from '../expect.ts';
import { inside, linkIn, look } from '../look.ts';
import { Broken, NotTried, type Rule, section } from '../rule.ts';
import { resultVersions } from './result-shape.ts';

const add = section(2, 'ADD: Add container to network, or apply modifications');

/** lo is in every namespace: a plugin that works on it creates no interface. */
export function needsOwnInterface({ subject }: Bench): void {
  if (subject.ifname === 'lo') throw new NotTried('it works on lo, which every namespace has');
}

/** How many containers are added at once. */
const together = 4;

/** Rules about ADD. */
export const addRules: readonly Rule[] = [
  {
    id: 'add-succeeds',
    group: 'ADD',
    text: 'ADD succeeds in every version that the plugin says it supports',
    section: add,
    level: 'must',
    run: async (bench) => {
      for (const version of resultVersions(bench.subject)) {
        const container = bench.container();
        const added = await bench.call('ADD', { container, version });
        succeeds(added, `ADD in version ${version}`);
        const prevResult = added.json;
        await bench.call('DEL', { container, version, config: { prevResult } });
      }
    },
  },
  {
    id: 'add-creates-interface',
    group: 'ADD',
    text: 'ADD creates the interface CNI_IFNAME in the namespace CNI_NETNS',
    section: add,
    level: 'must',
    kinds: ['interface'],
    run: async (bench) => {
      needsOwnInterface(bench);
      const { container } = await bench.attach({ ifname: 'conf-if0' });
      const there = look(container.netns).links.map(({ name }) => name);
      if (!there.includes('conf-if0'))
        throw new Broken(`CNI_IFNAME=conf-if0, interfaces there: ${there.join(', ')}`, 'conf-if0 among them');
    },
  },
  {
    id: 'add-twice',
    group: 'ADD',
    text: 'a second ADD for the same container and interface is refused',
    section: add,
    level: 'must',
    kinds: ['interface'],
    run: async (bench) => {
      needsOwnInterface(bench);
      const { container } = await bench.attach();
      fails(await bench.call('ADD', { container }), 'a second ADD', 'the interface exists already');
    },
  },
  {
    id: 'add-existing',
    group: 'ADD',
    text: 'ADD is refused where an interface of that name exists already, which stays',
    section: add,
    level: 'must',
    kinds: ['interface'],
    run: async (bench) => {
      needsOwnInterface(bench);
      await bench.on('DEL', await bench.attach());
      const container = bench.container();
      const name = bench.subject.ifname;
      inside(container.netns, (c) => rtnetlink.createLink(c, { kind: 'bridge', name }));
      const added = await bench.call('ADD', { container });
      fails(added, `ADD where a bridge ${name} exists in the namespace`, 'the name is taken');
      const kind = linkIn(look(container.netns), name)?.kindName;
      if (kind !== 'bridge') throw new Broken(`after it, ${name} is ${kind ?? 'gone'}`, 'the bridge it was');
    },
  },
  {
    id: 'add-concurrent',
    group: 'ADD',
    text: 'ADDs for different containers can run at the same time',
    section: section(3, 'Lifecycle & Ordering'),
    level: 'must',
    run: async (bench) => {
      const one = [];
      for (let round = 0; round < together; round++) one.push(await bench.attach());
      for (const each of one) await bench.on('DEL', each);
      const all = one.map(() => bench.container());
      const added = await Promise.all(all.map((container) => bench.call('ADD', { container })));
      for (const answer of added) succeeds(answer, 'one of several ADDs at the same time');
      const seen = added.map(({ json }) => JSON.stringify(json?.ips ?? []));
      if (bench.subject.kind === 'chained' || seen.every((ips) => ips === '[]')) return;
      if (new Set(seen).size === seen.length || (await givesSameAlways(bench))) return;
      throw new Broken(`ADDs at the same time gave the addresses ${seen.join(', ')}`, 'different ones');
    },
  },
  {
    id: 'add-args-optional',
    group: 'ADD',
    text: 'ADD does not need CNI_ARGS',
    section: add,
    level: 'must',
    run: async (bench) => {
      await bench.on('DEL', await bench.attach());
      const answer = await bench.call('ADD', { container: bench.container(), env: { CNI_ARGS: undefined } });
      succeeds(answer, 'ADD without CNI_ARGS (with an empty one it succeeds)');
    },
  },
  {
    id: 'add-path-optional',
    group: 'ADD',
    text: 'ADD of a plugin that delegates nothing does not need CNI_PATH',
    section: add,
    level: 'must',
    run: async (bench) => {
      const { kind, config } = bench.subject;
      if (kind !== 'ipam' && objectIn(config, 'ipam') !== undefined)
        throw new NotTried('it delegates to the plugin that `ipam` names');
      await bench.on('DEL', await bench.attach());
      const answer = await bench.call('ADD', { container: bench.container(), env: { CNI_PATH: undefined } });
      succeeds(answer, 'ADD without CNI_PATH (with one it succeeds)');
    },
  },
  {
    id: 'add-container-id',
    group: 'ADD',
    text: 'a container id may have letters, digits, "_", "." and "-"',
    section: section(2, 'Parameters'),
    level: 'must',
    run: async (bench) => {
      await bench.on('DEL', await bench.attach());
      const id = '0Conformance_test.id-9';
      const answer = await bench.call('ADD', { container: bench.container(id) });
      if (answer.failed) throw new Broken(`ADD of container ${id}: ${describe(answer)}`, 'success');
    },
  },
];

/** Some plugins give every container what their configuration says; then one after the other gets it, too. */
async function givesSameAlways(bench: Bench): Promise<boolean> {
  const seen = new Set<string>();
  for (let round = 0; round < 2; round++) {
    const { json } = await bench.call('ADD', { container: bench.container() });
    seen.add(JSON.stringify(json?.ips ?? []));
  }
  return seen.size === 1;
}
