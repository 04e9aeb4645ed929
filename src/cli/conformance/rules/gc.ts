/** GC and STATUS: SPEC.md section 2, since 1.1.0. */
import { type Attached, type Bench, describe } from '../bench.ts';
import { failsWithCode, silent, succeeds } from '../expect.ts';
import { linesOf, look, newLines, nodeLinks, refuseLostLinks } from '../look.ts';
import { Broken, NotTried, type Rule, section } from '../rule.ts';

const gc = section(2, 'GC: Clean up any stale resources');
const status = section(2, 'STATUS: Check plugin status');
const validAttachments = 'cni.dev/valid-attachments';

/** More than the small ranges of the default configurations hold, and few enough to try. */
const mostContainers = 16;

/** Rules about GC. */
export const gcRules: readonly Rule[] = [
  {
    id: 'gc-succeeds',
    group: 'GC',
    text: 'GC succeeds: with nothing to remove, with everything to remove, and again',
    section: gc,
    level: 'should',
    since: '1.1.0',
    run: async (bench) => {
      succeeds(await collect(bench, []), 'GC where nothing was added');
      const attached = await bench.attach();
      succeeds(await collect(bench, [attached]), 'GC with the one attachment valid');
      attached.container.removeNamespace();
      succeeds(await collect(bench, []), 'GC with no valid attachment');
      succeeds(await collect(bench, []), 'a second GC');
    },
  },
  {
    id: 'gc-keeps-valid',
    group: 'GC',
    text: 'GC leaves valid attachments alone',
    section: gc,
    level: 'must',
    since: '1.1.0',
    run: async (bench) => {
      const attached = await bench.attach();
      const always = await givenToAll(bench, attached);
      const { netns } = attached.container;
      const passed = await passesCheck(bench, attached);
      const before = linesOf(look(netns));
      works(await collect(bench, [attached]));
      const [gone] = newLines(linesOf(look(netns)), before);
      if (gone !== undefined) throw new Broken(`GC removed ${gone} of a valid attachment`, 'as before');
      if (passed && !(await passesCheck(bench, attached)))
        throw new Broken('after GC, CHECK of a valid attachment fails', 'success, as before');
      const other = await bench.attach();
      const taken = addressesOf(other).find((each) => addressesOf(attached).includes(each));
      if (taken !== undefined && !always.includes(taken))
        throw new Broken(
          `after GC, another container gets ${taken} of a valid attachment`,
          'another address',
        );
    },
  },
  {
    id: 'gc-removes-stale',
    group: 'GC',
    text: 'GC frees the addresses of attachments that are not valid any more',
    section: gc,
    level: 'should',
    kinds: ['interface', 'ipam'],
    since: '1.1.0',
    run: async (bench) => {
      const attached = await fill(bench);
      for (const { container } of attached.slice(1)) container.removeNamespace();
      works(await collect(bench, attached.slice(0, 1)));
      const added = await bench.call('ADD', { container: bench.container() });
      if (added.failed)
        throw new Broken(
          `all addresses were in use, GC with 1 of ${attached.length} attachments valid, then ADD: ${describe(added)}`,
          'success',
        );
    },
  },
  {
    id: 'gc-silent',
    group: 'GC',
    text: 'GC prints nothing on standard output when it succeeds',
    section: gc,
    level: 'must',
    since: '1.1.0',
    run: async (bench) => {
      const answer = await collect(bench, []);
      works(answer);
      silent(answer.stdout, 'GC');
    },
  },
];

/** Rules about STATUS. */
export const statusRules: readonly Rule[] = [
  {
    id: 'status-ready',
    group: 'STATUS',
    text: 'STATUS succeeds where ADD does, and is asked about no container',
    section: status,
    level: 'must',
    since: '1.1.0',
    run: async (bench) => {
      await bench.on('DEL', await bench.attach());
      succeeds(await bench.call('STATUS'), 'STATUS where ADD succeeds');
    },
  },
  {
    id: 'status-exhausted',
    group: 'STATUS',
    text: 'STATUS fails where no address is left, with code 50 or 51',
    section: status,
    level: 'should',
    kinds: ['interface', 'ipam'],
    since: '1.1.0',
    run: async (bench) => {
      await fill(bench);
      const answer = await bench.call('STATUS');
      failsWithCode(answer, [50, 51], 'STATUS where all addresses are in use and ADD fails');
    },
  },
  {
    id: 'status-delegate',
    group: 'STATUS',
    text: 'STATUS fails where the IPAM plugin that it delegates to is missing',
    section: status,
    level: 'must',
    kinds: ['interface'],
    since: '1.1.0',
    run: async (bench) => {
      const { ipam } = bench.subject.config as { ipam?: { type?: unknown } };
      if (typeof ipam?.type !== 'string') throw new NotTried('its configuration names no IPAM plugin');
      const env = { CNI_PATH: '/var/lib/cni' };
      const added = await bench.call('ADD', { container: bench.container(), env });
      if (!added.failed) throw new NotTried('ADD does not need the plugin that `ipam` names on CNI_PATH');
      const answer = await bench.call('STATUS', { env });
      if (!answer.failed)
        throw new Broken(`CNI_PATH has no ${ipam.type}; STATUS: ${describe(answer)}`, 'an error');
    },
  },
];

function collect({ call }: Bench, valid: readonly Attached[]): ReturnType<Bench['call']> {
  const attachments = valid.map(({ container, ifname }) => ({ containerID: container.id, ifname }));
  return call('GC', { config: { [validAttachments]: attachments } });
}

async function passesCheck(bench: Bench, attached: Attached): Promise<boolean> {
  return !(await bench.on('CHECK', attached)).failed;
}

function works(answer: Awaited<ReturnType<Bench['call']>>): void {
  if (answer.failed) throw new NotTried(`GC fails (rule gc-succeeds): ${describe(answer)}`);
}

/** Adds containers until no address is left. */
async function fill(bench: Bench): Promise<readonly Attached[]> {
  const links = nodeLinks();
  const attached = [await bench.attach()];
  while (attached.length < mostContainers) {
    const container = bench.container();
    const added = await bench.call('ADD', { container });
    if (added.failed) {
      refuseLostLinks(links);
      return attached;
    }
    attached.push({ ...attached[0], container } as Attached);
  }
  throw new NotTried(`its addresses do not run out within ${mostContainers} containers`);
}

function addressesOf({ result }: Attached): readonly string[] {
  return (result.ips ?? []).map(({ address }) => address);
}

/** The addresses that a second container gets as well: some plugins give every container what they are configured to. */
async function givenToAll(bench: Bench, attached: Attached): Promise<readonly string[]> {
  const second = await bench.attach();
  await bench.on('DEL', second);
  return addressesOf(second).filter((each) => addressesOf(attached).includes(each));
}
