/** Names of sysctls and the files behind them. */

/** A name that cannot be a sysctl's. */
export class SysctlNameError extends Error {
  override readonly name = 'SysctlNameError';
}

/**
 * The path under /proc/sys of a sysctl's name, in either of the forms that sysctl(8) takes; the first separator
 * tells which: `net/ipv4/conf/eth0.100/forwarding` is taken as it is, and in `net.ipv4.conf.eth0/100.forwarding` the
 * two characters change places. Throws SysctlNameError for names that would lead elsewhere.
 */
export function sysctlPath(name: string): string {
  // Slashes are the form that Fairlead itself uses.
  const [dot, slash] = [name.indexOf('.'), name.indexOf('/')];
  const dotted = dot >= 0 && (slash < 0 || dot < slash);
  const path = dotted ? name.replaceAll(/[./]/g, (separator) => (separator === '.' ? '/' : '.')) : name;
  const fault = faultOf(path);
  if (fault !== undefined) throw new SysctlNameError(`sysctl ${JSON.stringify(name)}: ${fault}`);
  return path;
}

function faultOf(path: string): string | undefined {
  const parts = path.split('/');
  if (parts.length < 2) return 'a name of at least two parts is needed, such as net.ipv4.ip_forward';
  for (const part of parts) {
    if (part === '') return 'a part of the name is empty';
    if (part === '.' || part === '..') return `${JSON.stringify(part)} cannot be a part of the name`;
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
    if (/[\x00-\x20\x7f]/.test(part)) return 'the name contains a space or a control character';
  }
  return undefined;
}

/** The name of a link's own setting, e.g. `net/ipv6/conf/eth0/accept_dad`; right for links with a dot in their name too. */
export function linkSysctl(family: 'ipv4' | 'ipv6', link: string, setting: string): string {
  return `net/${family}/conf/${link}/${setting}`;
}
