/** The options: what each is called, which environment variable means the same, and what holds without either. */

/** An option of a command. */
export interface Option {
  /** Without the dashes. */
  readonly name: string;
  /** What its value is called in the help; an option without is a flag. */
  readonly value?: string;
  /** May be given several times. */
  readonly repeat?: boolean;
  /** The environment variable that gives the value where the option does not; an empty one counts as not set. */
  readonly variable?: string;
  readonly fallback?: string;
  /** One line for the help. */
  readonly about: string;
}

/** Every command has these. */
export const json: Option = { name: 'json', about: 'prints JSON, errors too (as CNI error objects)' };
export const help: Option = { name: 'help', about: 'shows this text' };

/** Variables and defaults as `cnitool` has them (containernetworking/cni, cnitool/cnitool.go); there CNI_PATH has no default. */
export const netConfPath: Option = {
  name: 'net-conf-path',
  value: 'DIR',
  variable: 'NETCONFPATH',
  fallback: '/etc/cni/net.d',
  about: 'where the network configurations are',
};
export const pluginPath: Option = {
  name: 'plugin-path',
  value: 'DIR:DIR…',
  variable: 'CNI_PATH',
  fallback: '/opt/cni/bin',
  about: 'where the plugins are',
};
export const args: Option = {
  name: 'args',
  value: 'K=V;K=V…',
  variable: 'CNI_ARGS',
  about: 'arguments for the plugins, such as IP=10.1.0.5',
};
export const capabilityArgs: Option = {
  name: 'capability-args',
  value: 'JSON',
  variable: 'CAP_ARGS',
  about: 'values of capabilities, such as {"mac":"02:00:00:00:00:05"}',
};
export const ifname: Option = {
  name: 'ifname',
  value: 'NAME',
  variable: 'CNI_IFNAME',
  fallback: 'eth0',
  about: 'the interface in the namespace',
};
export const containerId: Option = {
  name: 'container-id',
  value: 'ID',
  about: "the attachment's container id; made from NETNS's path, as cnitool does",
};
/** What it prints goes to standard error: standard output is the command's own. */
export const trace: Option = {
  name: 'trace',
  about: 'shows steps and kernel requests on standard error; JSON lines with --json',
};
/** `CacheDir` of libcni/api.go. */
export const cacheDir: Option = {
  name: 'cache-dir',
  value: 'DIR',
  fallback: '/var/lib/cni',
  about: 'where the results of ADD are kept',
};
