/** The listing in docs/nftables.md of what firewall has is what `nft` says of a node with the container of the page. */
import { afterAll, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { attach, cleanUp, createWorld, nft, patience } from './network.ts';

afterAll(cleanUp, patience);

const page = new URL('../../../docs/nftables.md', import.meta.url).pathname;

/** The sections' own sets, maps and chains of a listing, each with its lines in an order of their own. */
function partsOf(listing: string): string[] {
  return listing
    .split(/\n(?=table )/)
    .flatMap((table) => table.split(/\n\t(?=set |map |chain )/).slice(1))
    .filter((part) => /^\w+ firewall-/.test(part))
    .map((part) =>
      part
        .split(/[\n,{}]/)
        .map((line) => line.trim())
        .filter((line) => line !== '')
        .sort()
        .join('\n'),
    )
    .sort();
}

test(
  'the listing',
  async () => {
    await createWorld();
    const web = await attach('web', { ingressPolicy: 'isolated' });
    const listed = await nft('list', 'ruleset');
    const [, written = ''] =
      /^## The firewall plugin\n[\s\S]*?```nft\n([\s\S]*?)```/m.exec(readFileSync(page, 'utf8')) ?? [];
    const port = web.result.interfaces?.[1]?.name ?? '';
    expect(partsOf(written.replaceAll('veth01234567', port))).toEqual(partsOf(listed));
    expect(partsOf(listed)).toHaveLength(12 + 5);
  },
  patience,
);
