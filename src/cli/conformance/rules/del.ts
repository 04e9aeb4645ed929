/** DEL: SPEC.md section 2, "DEL". */
import { rtnetlink } from '../../../kernel/index.ts';
import { type Attached, type Bench, describe } from '../bench.ts';
import { succeeds } from '../expect.ts';
import { inside, linesOf, linkIn, look, newLines, nodeLinks, refuseLostLinks } from '../look.ts';
import { Broken, NotTried, type Rule, section } from '../rule.ts';
import { needsOwnInterface } from './add.ts';

const del = section(2, 'DEL: Remove container from network, or un-apply modifications');
const noResult = { config: { prevResult: undefined } };

/** How many containers, one after the other, the small ranges of the default configurations have no room for at once. */
const moreThanRange = 8;

/** A rule that DEL of an attachment succeeds under some circumstance. */
function succeedsWhen(
  id: string,
  text: string,
  circumstance: string,
  run: (bench: Bench, attached: Attached) => ReturnType<Bench['on']>,
  more: Partial<Rule> = {},
): Rule {
  return {
    id,
    group: 'DEL',
    text,
    section: del,
    level: 'must',
    ...more,
    run: async (bench) => succeeds(await run(bench, await bench.attach()), `DEL ${circumstance}`),
  };
}

/** A result's addresses, in either shape, as one text; the same for all results that have none. */
function addressesOf(result: unknown): string {
  const { ips, ip4, ip6 } = (result ?? {}) as Readonly<Record<string, unknown>>;
  return JSON.stringify([ips, ip4, ip6]);
}

/** Rules about DEL. */
export const delRules: readonly Rule[] = [
  succeedsWhen('del-succeeds', 'DEL after ADD succeeds', 'after ADD', (bench, attached) =>
    bench.on('DEL', attached),
  ),
  {
    id: 'del-leaves-nothing',
    group: 'DEL',
    text: 'after DEL the namespace is as it was before ADD',
    section: del,
    level: 'must',
    kinds: ['interface', 'chained'],
    run: async (bench) => {
      const container = bench.container();
      const before = linesOf(look(container.netns));
      const attached = await bench.attach({ container });
      worked(await bench.on('DEL', attached), 'del-succeeds');
      const [left] = newLines(before, linesOf(look(container.netns)));
      if (left !== undefined) throw new Broken(`left in the namespace: ${left}`, 'nothing that ADD made');
      const [gone] = newLines(linesOf(look(container.netns)), before);
      if (gone !== undefined)
        throw new Broken(`gone from the namespace: ${gone}`, 'what was there before ADD');
    },
  },
  {
    id: 'del-cleans-node',
    group: 'DEL',
    text: 'the node does not fill up: a second container leaves nothing that the first did not',
    section: del,
    level: 'must',
    run: async (bench) => {
      const afterOne = await cycle(bench);
      const afterTwo = await cycle(bench);
      const [left] = newLines(afterOne, afterTwo);
      if (left !== undefined)
        throw new Broken(`left on the node: ${left}`, 'nothing that belongs to one container');
    },
  },
  {
    id: 'del-twice',
    group: 'DEL',
    text: 'DEL twice succeeds twice',
    section: del,
    level: 'must',
    run: async (bench) => {
      const attached = await bench.attach();
      worked(await bench.on('DEL', attached), 'del-succeeds');
      succeeds(await bench.on('DEL', attached), 'the second DEL');
    },
  },
  {
    id: 'del-never-added',
    group: 'DEL',
    text: 'DEL of a container that was never added succeeds',
    section: del,
    level: 'must',
    run: async ({ call, container, subject }) => {
      const config = { prevResult: { cniVersion: subject.version } };
      const answer = await call('DEL', { container: container(), config });
      succeeds(answer, 'DEL of a container that was never added');
    },
  },
  succeedsWhen(
    'del-netns-gone',
    'DEL succeeds where the namespace is gone',
    'after the namespace is gone',
    (bench, attached) => {
      attached.container.removeNamespace();
      return bench.on('DEL', attached);
    },
  ),
  succeedsWhen(
    'del-netns-empty',
    'DEL succeeds with an empty CNI_NETNS, and without it',
    'with CNI_NETNS empty, or not set',
    async (bench, attached) => {
      const first = await bench.on('DEL', attached, { env: { CNI_NETNS: '' } });
      if (first.failed) return first;
      return bench.on('DEL', await bench.attach(), { env: { CNI_NETNS: undefined } });
    },
  ),
  succeedsWhen(
    'del-no-prevresult',
    'DEL succeeds without `prevResult`',
    'without prevResult',
    (bench, attached) => bench.on('DEL', attached, noResult),
  ),
  succeedsWhen(
    'del-interface-gone',
    'DEL succeeds where the interface is gone already',
    'after the interface was deleted',
    (bench, attached) => {
      deleteInterface(bench, attached);
      return bench.on('DEL', attached);
    },
    { kinds: ['interface'] },
  ),
  {
    id: 'del-frees-addresses',
    group: 'DEL',
    text: 'DEL frees the address where the namespace is gone',
    section: del,
    level: 'should',
    kinds: ['interface', 'ipam'],
    run: async (bench) => {
      const given = new Set<string>();
      const links = nodeLinks();
      for (let round = 0; round < moreThanRange; round++) {
        const container = bench.container();
        const added = await bench.call('ADD', { container });
        if (added.failed && round === 0) throw new NotTried(`ADD fails: ${describe(added)}`);
        if (added.failed) refuseLostLinks(links);
        if (added.failed)
          throw new Broken(
            `after ${round} containers that were deleted, ADD fails: ${describe(added)}`,
            'success',
          );
        given.add(addressesOf(added.json));
        container.removeNamespace();
        const config = { prevResult: added.json };
        worked(await bench.call('DEL', { container, config }), 'del-netns-gone');
      }
      // Addresses that never come round again say nothing about those that were given before.
      if (given.size === moreThanRange)
        throw new NotTried(
          `${moreThanRange} containers got ${moreThanRange} different addresses: it needs a range of fewer than ${moreThanRange}`,
        );
    },
  },
  {
    id: 'del-only-its-own',
    group: 'DEL',
    text: "DEL of one interface leaves the container's other one",
    section: section(3, 'Execution of Network Configurations'),
    level: 'must',
    kinds: ['interface'],
    run: async (bench) => {
      needsOwnInterface(bench);
      const container = bench.container();
      const first = await bench.attach({ container, ifname: 'conf-a' });
      const second = await bench.call('ADD', { container, ifname: 'conf-b' });
      if (second.failed) throw new NotTried(`a second interface cannot be added: ${describe(second)}`);
      worked(await bench.on('DEL', first), 'del-succeeds');
      const there = look(container.netns).links.map(({ name }) => name);
      if (!there.includes('conf-b'))
        throw new Broken(`DEL of conf-a; interfaces there: ${there.join(', ')}`, 'conf-b among them');
    },
  },
];

function deleteInterface(bench: Bench, { container, ifname }: Attached): void {
  needsOwnInterface(bench);
  if (linkIn(look(container.netns), ifname) === undefined)
    throw new NotTried(`there is no interface ${ifname} (rule add-creates-interface)`);
  inside(container.netns, (connection) => rtnetlink.deleteLink(connection, ifname));
}

/** Something that another rule is about has to work first. */
function worked(answer: Awaited<ReturnType<Bench['on']>>, rule: string): void {
  if (answer.failed) throw new NotTried(`DEL fails (rule ${rule}): ${describe(answer)}`);
}

/** One container's life; what is on the node afterwards. */
async function cycle(bench: Bench): Promise<readonly string[]> {
  const attached = await bench.attach();
  worked(await bench.on('DEL', attached), 'del-succeeds');
  undress(attached);
  return linesOf(look(undefined));
}

/** Takes away what the rule itself had made in the container: with the namespace it would go only in a while. */
function undress({ container }: Attached): void {
  for (const { name, sandbox } of container.previous?.interfaces ?? []) {
    if (sandbox === undefined || linkIn(look(container.netns), name) === undefined) continue;
    inside(container.netns, (connection) => rtnetlink.deleteLink(connection, name));
  }
  container.removeNamespace();
}
