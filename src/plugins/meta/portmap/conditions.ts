/**
 * `conditionsV4` and `conditionsV6`: what else must be true of a packet for its port to be mapped, in the words of
 * iptables or of nft. What both say alike and a NAT rule can use is understood: addresses, the interface a packet
 * came in by, its mark, its source port.
 */
import { cmp } from '../../../kernel/nftables/expr/cmp.ts';
import { type Expression, firstRegister } from '../../../kernel/nftables/expr/expression.ts';
import { payload } from '../../../kernel/nftables/expr/payload.ts';
import { hostPrefix, type IpFamily, type Prefix, parseAddress, parsePrefix } from '../../../lib/ip.ts';
import { type AddressField, addressIs, interfaceIs, markIs } from '../../shared/nftables/match.ts';

/** Conditions, ready for a rule; or what is wrong with them. */
export type Conditions = { readonly statements: readonly Expression[] } | { readonly problem: string };

const understood =
  'Understood are, after "!" or not, -s, -d, -i, --sport, -m mark --mark and -m comment of iptables; ip saddr, ip daddr, iifname, mark, th sport of nft, with == or !=';

/** A fault in the words, to be told with what is understood. */
class ConditionFault extends Error {}

/** Reads conditions for packets of a family. */
export function parseConditions(words: readonly string[], family: IpFamily): Conditions {
  // One of iptables' words is an argument as it is; one of nft's may be several of its own.
  const tokens = words.flatMap((word, index) =>
    words[index - 1] === '--comment' ? [word] : (word.match(/"[^"]*"|[^\s"]+/g) ?? []),
  );
  const reader = readerOf(tokens);
  try {
    const statements: Expression[] = [];
    while (!reader.atEnd()) statements.push(...readCondition(reader, family));
    return { statements };
  } catch (error) {
    if (error instanceof ConditionFault) return { problem: `${error.message}. ${understood}` };
    throw error;
  }
}

interface TokenReader {
  atEnd(): boolean;
  /** Takes the next word if it is one of these. */
  take(...words: readonly string[]): string | undefined;
  /** The next word; `what` is said to be missing where there is none. */
  next(what: string): string;
}

function readerOf(tokens: readonly string[]): TokenReader {
  let index = 0;
  return {
    atEnd: () => index >= tokens.length,
    take: (...words) => {
      const word = tokens[index];
      if (word === undefined || !words.includes(word)) return undefined;
      index++;
      return word;
    },
    next: (what) => {
      const word = tokens[index++];
      if (word === undefined) throw new ConditionFault(`must have ${what} after "${tokens.at(-1)}"`);
      return word.replaceAll('"', '');
    },
  };
}

function readCondition(reader: TokenReader, family: IpFamily): Expression[] {
  const negated = reader.take('!') !== undefined;
  const word = reader.next('a condition');
  const isOption = word.startsWith('-');
  if (negated && !isOption) throw new ConditionFault(`must not have "!" before "${word}"`);
  return isOption ? readOption(reader, word, negated, family) : readNft(reader, word, family);
}

function readOption(reader: TokenReader, word: string, negated: boolean, family: IpFamily): Expression[] {
  const operator = negated ? '!=' : '==';
  switch (word) {
    case '-s':
    case '--source':
    case '--src':
      return addressIs('saddr', operator, readPrefix(reader, word, family));
    case '-d':
    case '--destination':
    case '--dst':
      return addressIs('daddr', operator, readPrefix(reader, word, family));
    case '-i':
    case '--in-interface':
      return readInterface(reader.next('an interface').replace(/\+$/, '*'), operator);
    case '--sport':
    case '--source-port':
      return sourcePort(reader.next('a port'), operator);
    case '--mark':
      return readMark(reader.next('a mark'), operator);
    case '-m':
    case '--match':
      return readMatch(reader);
    case '--comment':
      reader.next('a comment');
      return [];
    default:
      throw new ConditionFault(`cannot be "${word}": that cannot be said in nftables here`);
  }
}

/** The name of a match of iptables says nothing itself; its options follow. */
function readMatch(reader: TokenReader): Expression[] {
  if (reader.take('mark', 'comment', 'tcp', 'udp', 'sctp') === undefined) {
    throw new ConditionFault(
      `cannot be "-m ${reader.next('a match')}": that cannot be said in nftables here`,
    );
  }
  return [];
}

function readNft(reader: TokenReader, first: string, family: IpFamily): Expression[] {
  const word = first === 'meta' ? reader.next('a key') : first;
  if (word === 'ip' || word === 'ip6') {
    if ((word === 'ip') !== (family === 4))
      throw new ConditionFault(`cannot match "${word}" in IPv${family}`);
    const field = reader.next('saddr or daddr');
    if (field !== 'saddr' && field !== 'daddr') throw new ConditionFault(`cannot be "${word} ${field}"`);
    return readAddress(reader, field, family);
  }
  if (word === 'iifname') {
    const operator = readOperator(reader);
    return readInterface(reader.next('an interface'), operator);
  }
  if (word === 'mark') {
    const operator = readOperator(reader);
    return readMark(reader.next('a mark'), operator);
  }
  if (['th', 'tcp', 'udp', 'sctp'].includes(word) && reader.take('sport') !== undefined) {
    const operator = readOperator(reader);
    return sourcePort(reader.next('a port'), operator);
  }
  throw new ConditionFault(`cannot be "${word}"`);
}

function readOperator(reader: TokenReader): '==' | '!=' {
  return reader.take('==', '!=') === '!=' ? '!=' : '==';
}

function readAddress(reader: TokenReader, field: AddressField, family: IpFamily): Expression[] {
  const operator = readOperator(reader);
  return addressIs(field, operator, readPrefix(reader, field, family));
}

function readPrefix(reader: TokenReader, after: string, family: IpFamily): Prefix {
  const text = reader.next('an address');
  const address = parseAddress(text);
  const prefix = address === undefined ? parsePrefix(text) : hostPrefix(address);
  if (prefix?.address.family === family) return prefix;
  throw new ConditionFault(`must have an IPv${family} address or network after "${after}", got "${text}"`);
}

function readInterface(name: string, operator: '==' | '!='): Expression[] {
  if (/^[^\s/]{1,15}$/.test(name)) return interfaceIs('iifname', operator, name);
  throw new ConditionFault(`must have an interface's name, got "${name}"`);
}

function readMark(text: string, operator: '==' | '!='): Expression[] {
  const [value = Number.NaN, mask = 0xffff_ffff] = text.split('/').map(Number);
  const fits = [value, mask].every(
    (number) => Number.isInteger(number) && number >= 0 && number <= 0xffff_ffff,
  );
  if (!fits) throw new ConditionFault(`must have a mark such as 0x2000 or 0x2000/0x2000, got "${text}"`);
  return markIs(operator, value, mask);
}

/** The source port is at the start of the headers of TCP, UDP and SCTP. */
function sourcePort(text: string, operator: '==' | '!='): Expression[] {
  const port = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(port >= 0 && port <= 65535)) throw new ConditionFault(`must have a port 0–65535, got "${text}"`);
  return [
    payload('transport', 0, 2, firstRegister),
    cmp(firstRegister, operator, Uint8Array.of(port >> 8, port & 255)),
  ];
}
