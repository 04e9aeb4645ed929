/** Where the system's D-Bus listens: apart from what speaks it, since most calls only need to know that nobody does. */
import { existsSync } from '../../../kernel/sys/file.ts';

/** D-Bus Specification, "Well-known Message Bus Instances"; `/var/run` there is `/run`. */
const usual = '/run/dbus/system_bus_socket';

/** The path of its socket, or a name in the abstract namespace after `@`; undefined where there is none. */
export function busAddress(given: string | undefined): string | undefined {
  const path = given ? addressIn(given) : usual;
  return path?.startsWith('@') || (path !== undefined && existsSync(path)) ? path : undefined;
}

/** The first Unix socket of a list such as `unix:path=/run/bus,guid=1;tcp:host=localhost`. */
export function addressIn(list: string): string | undefined {
  for (const address of list.split(';')) {
    const [, path, name] = /^unix:(?:.*,)?(?:path=([^,]*)|abstract=([^,]*))/.exec(address) ?? [];
    if (path) return decodeURIComponent(path);
    if (name) return `@${decodeURIComponent(name)}`;
  }
  return undefined;
}
