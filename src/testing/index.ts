/**
 * `fairlead/testing`: tests of CNI plugins against the kernel, with any test runner that Bun runs (`bun:test`,
 * `node:test`). Containers are namespaces that clean up after themselves; a plugin, as a value of `definePlugin` or any
 * executable, goes through its life cycle; assertions on links, addresses, routes and reachability read like sentences.
 * Runs in a sandbox only, which `fairlead-plugin test` makes.
 */
export { type Assertion, assertThat, type LinkAssertion, type Reach } from './assert.ts';
export type { PluginOrPath } from './call.ts';
export { refuseClaims } from './claims.ts';
export { type Container, createContainer, inNetns, removeContainers, within } from './container.ts';
export { inspect, type Place, type Seen, type SeenLink, type SeenRoute } from './inspect.ts';
export { type CallOptions, type PluginOptions, type PluginUnderTest, testPlugin } from './plugin.ts';
export { type Ended, output, type ProgramOptions, runProgram } from './program.ts';
export { limit, requireSandbox } from './sandbox.ts';
export {
  type Answer,
  type AskOptions,
  ask,
  type Protocol,
  ping,
  type Server,
  serve,
  stopServers,
} from './traffic.ts';
