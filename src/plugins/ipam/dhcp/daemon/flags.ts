/** The daemon's flags, as Go's package flag takes them: `-flag VALUE`, `--flag=VALUE`; times as time.ParseDuration. */

/** What the flags say. Times are in milliseconds. */
export interface DaemonSettings {
  readonly pidfile: string;
  /** Goes before every path of a namespace, and the socket's. */
  readonly hostPrefix: string;
  readonly socketPath: string;
  readonly broadcast: boolean;
  readonly timeout: number;
  readonly resendMax: number;
  readonly resendTimeout: number;
}

/** What is to be printed in place of running, and the exit code then: 0 for `-help`. */
export class FlagError extends Error {
  override readonly name = 'FlagError';

  constructor(
    message: string,
    readonly exitCode: 0 | 2,
  ) {
    super(message);
  }
}

type Kind = 'string' | 'duration' | 'bool';

/** The flags in the order of their names, as Go prints them: kind, default, what for. */
const flags: Readonly<Record<string, readonly [kind: Kind, byDefault: string, about: string]>> = {
  broadcast: ['bool', 'false', 'ask servers to broadcast their answers'],
  hostprefix: ['string', '', "prefix of the namespaces' paths and of the socket's"],
  pidfile: ['string', '', 'absolute path of a file for the process id'],
  resendmax: ['duration', '1m2s', 'the longest time between two questions'],
  resendtimeout: ['duration', '3m28s', 'how long it is tried to acquire a lease'],
  socketpath: ['string', '/run/cni/dhcp.sock', 'path of the socket that plugins connect to'],
  timeout: ['duration', '10s', 'how long one question is asked'],
};

/** Reads the arguments after `daemon`. What comes after the first that is no flag is not looked at, as in Go. Throws FlagError. */
export function parseFlags(argv: readonly string[]): DaemonSettings {
  const given = readFlags(argv);
  const text = (name: string) => given.get(name) ?? flags[name]?.[1] ?? '';
  const duration = (name: string) => parseDuration(text(name)) ?? 0;
  return {
    pidfile: text('pidfile'),
    hostPrefix: text('hostprefix'),
    socketPath: text('socketpath') || '/run/cni/dhcp.sock',
    broadcast: parseBool(text('broadcast')) ?? false,
    timeout: duration('timeout'),
    resendMax: duration('resendmax'),
    resendTimeout: duration('resendtimeout'),
  };
}

function readFlags(argv: readonly string[]): ReadonlyMap<string, string> {
  const given = new Map<string, string>();
  for (let index = 0; index < argv.length; index++) {
    const argument = argv[index] ?? '';
    if (!/^-./.test(argument) || argument === '--') break;
    const [, name = '', value] = /^--?([^=]*)(?:=(.*))?$/s.exec(argument) ?? [];
    if (name === 'h' || name === 'help') throw new FlagError(usage(), 0);
    if (name === '' || name.startsWith('-')) throw wrong(`bad flag syntax: ${argument}`);
    const kind = flags[name]?.[0];
    if (kind === undefined) throw wrong(`flag provided but not defined: -${name}`);
    const own = value ?? (kind === 'bool' ? 'true' : argv[++index]);
    if (own === undefined) throw wrong(`flag needs an argument: -${name}`);
    refuseWrong(name, kind, own);
    given.set(name, own);
  }
  return given;
}

function refuseWrong(name: string, kind: Kind, value: string): void {
  const invalid = (what: string) =>
    wrong(`invalid value ${JSON.stringify(value)} for flag -${name}: ${what}`);
  if (kind === 'bool' && parseBool(value) === undefined) throw invalid('must be true or false');
  if (kind !== 'duration') return;
  const ms = parseDuration(value);
  if (ms === undefined) throw invalid('must be a duration such as 10s, 1m30s or 500ms');
  if (ms <= 0) throw invalid('must be longer than nothing');
}

function wrong(message: string): FlagError {
  return new FlagError(`${message}\n${usage()}`, 2);
}

function usage(): string {
  const lines = Object.entries(flags).map(([name, [kind, byDefault, about]]) => {
    const shown = byDefault === '' || kind === 'bool' ? '' : ` (default ${byDefault})`;
    return `  -${name}${kind === 'bool' ? '' : ` ${kind}`}\n    \t${about}${shown}`;
  });
  return ['Usage of daemon:', ...lines].join('\n');
}

/** strconv.ParseBool. */
function parseBool(text: string): boolean | undefined {
  if (['1', 't', 'T', 'TRUE', 'true', 'True'].includes(text)) return true;
  return ['0', 'f', 'F', 'FALSE', 'false', 'False'].includes(text) ? false : undefined;
}

const units: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/** time.ParseDuration, in milliseconds: numbers with a unit each, `1h30m`. */
function parseDuration(text: string): number | undefined {
  const [, sign, rest = ''] = /^([+-]?)(.*)$/s.exec(text) ?? [];
  if (rest === '0') return 0;
  const part = /(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/y;
  let total = 0;
  while (part.lastIndex < rest.length) {
    const [, number, unit = ''] = part.exec(rest) ?? [];
    if (number === undefined) return undefined;
    total += Number(number) * (units[unit] ?? 0);
  }
  if (rest === '') return undefined;
  return sign === '-' ? -total : total;
}
