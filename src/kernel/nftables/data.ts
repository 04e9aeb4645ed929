/** Data in registers and elements: bytes, or a verdict (enum nft_data_attributes, linux/netfilter/nf_tables.h). */
import { attribute, attributes } from '../netlink/attributes.ts';
import { CodecError, viewOf } from '../netlink/bytes.ts';
import { type Codec, cstring, rawBytes } from '../netlink/codec.ts';
import { checkName } from './name.ts';

/** A signed 32-bit integer in network byte order. */
export const beI32: Codec<number> = {
  encode: (writer, value) => writer.be32(value >>> 0),
  decode: (bytes) => {
    if (bytes.length < 4) throw new CodecError(`${bytes.length} bytes where 4 are needed`);
    return viewOf(bytes).getInt32(0, false);
  },
};

/** What happens to a packet. */
export type Verdict =
  | { readonly verdict: 'accept' | 'drop' | 'continue' | 'return' }
  | { readonly verdict: 'jump' | 'goto'; readonly chain: string };

/** NF_DROP and NF_ACCEPT (linux/netfilter.h); enum nft_verdicts (linux/netfilter/nf_tables.h). */
const verdictCodes = { drop: 0, accept: 1, continue: -1, jump: -3, goto: -4, return: -5 } as const;

/** The codec of NFTA_DATA_VALUE or NFTA_DATA_VERDICT. */
export const dataCodec = attributes({
  value: attribute(1, rawBytes),
  verdict: attribute(2, attributes({ code: attribute(1, beI32), chain: attribute(2, cstring) })),
});

/** The attributes of a verdict, for `dataCodec`. */
export function verdictData(verdict: Verdict): { verdict: { code: number; chain?: string } } {
  if (!('chain' in verdict)) return { verdict: { code: verdictCodes[verdict.verdict] } };
  checkName('chain', verdict.chain);
  return { verdict: { code: verdictCodes[verdict.verdict], chain: verdict.chain } };
}

/** Reads a verdict back. Throws CodecError for a code that is none of ours (queue, for one). */
export function readVerdict(data: { code?: number | undefined; chain?: string | undefined }): Verdict {
  for (const [name, code] of Object.entries(verdictCodes) as [Verdict['verdict'], number][]) {
    if (code !== data.code) continue;
    if (name !== 'jump' && name !== 'goto') return { verdict: name };
    if (data.chain === undefined) throw new CodecError(`a ${name} without chain`);
    return { verdict: name, chain: data.chain };
  }
  throw new CodecError(`verdict ${data.code} is not known`);
}

/** `jump web`: how nft writes a verdict. */
export function verdictText(verdict: Verdict): string {
  return 'chain' in verdict ? `${verdict.verdict} ${verdict.chain}` : verdict.verdict;
}
