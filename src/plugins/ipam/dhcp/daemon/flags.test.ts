import { describe, expect, test } from 'bun:test';
import { FlagError, parseFlags } from './flags.ts';

describe('as Go takes them', () => {
  test("the reference's defaults", () => {
    expect(parseFlags([])).toEqual({
      pidfile: '',
      hostPrefix: '',
      socketPath: '/run/cni/dhcp.sock',
      broadcast: false,
      timeout: 10_000,
      resendMax: 62_000,
      resendTimeout: 208_000,
    });
  });

  test('one dash or two, a value behind or with =', () => {
    const argv = [
      '-pidfile',
      '/run/x',
      '--hostprefix=/host',
      '-socketpath=',
      '--broadcast',
      '-timeout',
      '1m30s',
    ];
    expect(parseFlags([...argv, '-resendmax=500ms', '--resendtimeout', '.5h'])).toEqual({
      pidfile: '/run/x',
      hostPrefix: '/host',
      socketPath: '/run/cni/dhcp.sock',
      broadcast: true,
      timeout: 90_000,
      resendMax: 500,
      resendTimeout: 1_800_000,
    });
  });

  test('a flag that is true or false takes its value with = only; what comes after the first other word is not looked at', () => {
    expect(parseFlags(['-broadcast=f', 'x', '-nope']).broadcast).toBe(false);
    expect(parseFlags(['-broadcast', 'false', '-nope']).broadcast).toBe(true);
    expect(parseFlags(['--', '-nope'])).toEqual(parseFlags([]));
    expect(parseFlags(['-', '-nope'])).toEqual(parseFlags([]));
  });

  test('the last one counts', () => {
    expect(parseFlags(['-timeout=1s', '-timeout=2s']).timeout).toBe(2000);
  });
});

test.each<[string[], 0 | 2, string]>([
  [['-h'], 0, 'Usage of daemon:'],
  [['--help'], 0, '-socketpath string'],
  [['-nope'], 2, 'flag provided but not defined: -nope'],
  [['-pidfile'], 2, 'flag needs an argument: -pidfile'],
  [['---x'], 2, 'bad flag syntax: ---x'],
  [['-=x'], 2, 'bad flag syntax: -=x'],
  [['-timeout', '10'], 2, 'invalid value "10" for flag -timeout'],
  [['-timeout='], 2, 'invalid value "" for flag -timeout'],
  [['-timeout=5s5'], 2, 'must be a duration'],
  [['-timeout=-5s'], 2, 'must be longer than nothing'],
  [['-timeout=0'], 2, 'must be longer than nothing'],
  [['-broadcast=yes'], 2, 'invalid value "yes" for flag -broadcast'],
])('%p: exit code %p', (argv, exitCode, message) => {
  const parse = () => parseFlags(argv);
  expect(parse).toThrow(message);
  try {
    parse();
  } catch (error) {
    expect(error instanceof FlagError && error.exitCode).toBe(exitCode);
  }
});
