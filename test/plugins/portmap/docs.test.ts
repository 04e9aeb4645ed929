/** The listing in docs/nftables.md is what `nft` says of a node with the attachments that the page describes. */
import { afterAll, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { output } from '../../support/program.ts';
import { attach, cleanUp, createWorld, nft, node4 } from './network.ts';

afterAll(cleanUp);

const page = new URL('../../../docs/nftables.md', import.meta.url).pathname;

/** Lines in an order of their own: a map's elements have none. */
const sorted = (text: string) =>
  text
    .split('\n')
    .map((line) =>
      line
        .trim()
        .replace(/^elements = \{ /, '')
        .replace(/( \}|,)$/, ''),
    )
    .filter((line) => line !== '')
    .sort();

test('the listing', async () => {
  await createWorld();
  await attach('web', {
    mappings: [
      { hostPort: 8080, containerPort: 80, protocol: 'tcp' },
      { hostPort: 53, containerPort: 5353, protocol: 'udp', hostIP: node4 },
    ],
  });
  const listed = await nft('list', 'table', 'inet', 'fairlead');
  const [, written = ''] = /```nft\n([\s\S]*?)```/.exec(readFileSync(page, 'utf8')) ?? [];
  expect(sorted(written)).toEqual(sorted(listed));
});

test('the commands that the page gives for the people who operate a node', async () => {
  const text = readFileSync(page, 'utf8');
  const commands = [...text.matchAll(/^ {4}(nft .*)$/gm)].map(([, command = '']) => command);
  expect(commands.length).toBeGreaterThanOrEqual(3);
  for (const command of commands) await output(['sh', '-ec', command]);
});
