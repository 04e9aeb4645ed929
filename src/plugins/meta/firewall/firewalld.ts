/** firewalld, over D-Bus: addresses are sources of a zone, which says what may pass (org.fedoraproject.FirewallD1.zone). */
import { CniError, messageOf } from '../../../cni/index.ts';
import { SystemError } from '../../../kernel/sys/libc.ts';
import { formatAddress, formatPrefix, hostPrefix, type IpAddress } from '../../../lib/ip.ts';
import { type Bus, BusError, openBus } from './bus.ts';

/** A firewalld that runs, and one of its zones. */
export interface Firewalld extends Disposable {
  /** Makes the address a source of the zone. Throws a `CniError`. */
  addSource(address: IpAddress): Promise<void>;
  /** Whether it is one. Throws a `CniError`. */
  hasSource(address: IpAddress): Promise<boolean>;
  /** Ends that; where it is none that is no error, nor what firewalld cannot do. */
  removeSource(address: IpAddress): Promise<void>;
}

const service = 'org.fedoraproject.FirewallD1';

/** Connects to it; undefined where it does not run, or nobody can be asked: a bus that does not want us has none for us. */
export async function openFirewalld(path: string, zone: string): Promise<Firewalld | undefined> {
  let bus: Bus | undefined;
  try {
    bus = await openBus(path);
    if (await isRunning(bus)) return firewalldOn(bus, zone);
  } catch (error) {
    if (!isOfBus(error)) throw error;
  }
  bus?.[Symbol.dispose]();
  return undefined;
}

/** What a method answered, or that the connection is none or breaks off. */
function isOfBus(error: unknown): boolean {
  return error instanceof BusError || error instanceof SystemError;
}

async function isRunning(bus: Bus): Promise<boolean> {
  const answer = await bus.call({
    destination: 'org.freedesktop.DBus',
    path: '/org/freedesktop/DBus',
    interface: 'org.freedesktop.DBus',
    member: 'NameHasOwner',
    arguments: [service],
  });
  return answer === true;
}

function firewalldOn(bus: Bus, zone: string): Firewalld {
  const call = (member: string, address: IpAddress) =>
    bus.call({
      destination: service,
      path: '/org/fedoraproject/FirewallD1',
      interface: `${service}.zone`,
      member,
      // The reference writes it so.
      arguments: [zone, formatPrefix(hostPrefix(address))],
    });
  return {
    addSource: async (address) => {
      try {
        await call('addSource', address);
      } catch (error) {
        if (!says(error, 'ZONE_ALREADY_SET')) throw refusal(error, zone, address);
      }
    },
    hasSource: async (address) => {
      try {
        return (await call('querySource', address)) === true;
      } catch (error) {
        throw refusal(error, zone, address);
      }
    },
    removeSource: async (address) => {
      try {
        await call('removeSource', address);
      } catch (error) {
        if (!isOfBus(error)) throw error;
      }
    },
    [Symbol.dispose]: bus[Symbol.dispose],
  };
}

/** firewalld's messages begin with a word for the error. */
function says(error: unknown, word: string): boolean {
  return error instanceof BusError && error.message.startsWith(word);
}

function refusal(error: unknown, zone: string, address: IpAddress): unknown {
  if (!isOfBus(error)) return error;
  if (says(error, 'INVALID_ZONE')) {
    return new CniError(
      'invalidConfig',
      `\`firewalldZone\` of plugin \`firewall\`: firewalld has no zone "${zone}"`,
      messageOf(error),
    );
  }
  return new CniError(
    'internal',
    `firewalld does not take ${formatAddress(address)} as a source of its zone "${zone}"`,
    messageOf(error),
  );
}
