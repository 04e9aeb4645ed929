/** What is on the node and in a container, as lines, without what goes on moving however all is cleaned up. */
import { existsSync } from 'node:fs';
import { type Container, within } from '../support/container.ts';
import { diff, type Snapshot, snapshot } from '../support/node.ts';
import { output } from '../support/program.ts';
import { kernel } from '../support/sandbox.ts';

/** What was given last by host-local goes on with each ADD. */
const moving = /^file \S+\/last_reserved_ip\./;

/** A file of host-local's index: which entries there are counts, not in which order they came. */
const ofIndex = /^file (\S+\/owners\/\w+) 600 (".*")$/;

/** Lo keeps its address and its queue when it goes down. */
const ofLoopback = / 127\.0\.0\.1\/8 scope host lo/;

/** The kernel makes it with the first vrf of a namespace, and it stays (vrf_add_fib_rules, drivers/net/vrf.c). */
const ofFirstVrf = /lookup \[l3mdev-table\]$/;

/** The node and, as long as it is there, the container's namespace. */
export async function facts({ netns }: Container): Promise<Snapshot> {
  const node = (await snapshot()).flatMap((line) => {
    if (moving.test(line)) return [];
    const [, file, content] = ofIndex.exec(line) ?? [];
    if (content === undefined) return [line];
    return lines(String(JSON.parse(content))).map((entry) => `index ${file} ${entry}`);
  });
  if (!existsSync(netns)) return node;
  const inside = (await linesIn(netns)).filter((line) => !ofLoopback.test(line) && !ofFirstVrf.test(line));
  return [...node, ...inside.map((line) => `in the container: ${line.replace(/qdisc \w+/, '')}`)];
}

/** What there is in a namespace, by as few processes as may be: to start one takes the second kernel long. */
async function linesIn(netns: string): Promise<readonly string[]> {
  const ask = (argv: readonly string[], stdin = '') => output(within(netns, argv), { stdin });
  const texts = await Promise.all([
    ask(['ip', '-o', '-batch', '-'], 'link\naddress\nrule\nroute\n'),
    ask(['ip', '-6', '-o', '-batch', '-'], 'rule\nroute\n'),
    // The second kernel's nf_tables are for bridges only, which no container here has.
    ...(kernel === 'first' ? [ask(['nft', 'list', 'ruleset'])] : []),
  ]);
  return texts.flatMap(lines);
}

function lines(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}

/** Waits until the node does not change any more by itself: addresses of the link's scope come about two seconds late. */
export async function settled(): Promise<void> {
  for (let before = await snapshot(); ; ) {
    await Bun.sleep(2100);
    const after = await snapshot();
    if (diff(before, after).length === 0) return;
    before = after;
  }
}
