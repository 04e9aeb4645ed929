/** Building a result instead of assembling it by hand. */
import type { Dns, Interface, IpConfig, Result, Route } from './result.ts';

/** A result that grows; it can be returned from ADD at any time. */
export interface ResultBuilder extends Result {
  readonly interfaces: readonly Interface[];
  readonly ips: readonly IpConfig[];
  readonly routes: readonly Route[];
  readonly dns: Dns;
  /** Adds an interface and returns its index, which addresses name it by. */
  addInterface(added: Interface): number;
  /** Changes what is said of an interface, e.g. the hardware address it now has. Throws if there is none of this index. */
  changeInterface(index: number, changes: Partial<Interface>): void;
  addIp(added: IpConfig): void;
  addRoute(added: Route): void;
  setDns(dns: Dns): void;
}

/** A new result, or one that continues the previous plugin's, which a chained plugin must pass on. */
export function result(previous: Result = {}): ResultBuilder {
  const interfaces = [...(previous.interfaces ?? [])];
  const ips = [...(previous.ips ?? [])];
  const routes = [...(previous.routes ?? [])];
  let dns = previous.dns ?? {};
  return {
    interfaces,
    ips,
    routes,
    get dns() {
      return dns;
    },
    addInterface: (added) => interfaces.push(added) - 1,
    changeInterface(index, changes) {
      const old = interfaces[index];
      if (old === undefined)
        throw new RangeError(`the result has ${interfaces.length} interfaces, none of index ${index}`);
      interfaces[index] = { ...old, ...changes };
    },
    addIp: (added) => {
      ips.push(added);
    },
    addRoute: (added) => {
      routes.push(added);
    },
    setDns: (set) => {
      dns = set;
    },
  };
}
