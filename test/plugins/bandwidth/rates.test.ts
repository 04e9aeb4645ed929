/** The rates that packets really have: iperf3 between a container and its node, with limits and without. */
// packages: iproute2 iperf3
// seconds: 120
// alone
import { afterEach, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { within } from '../../support/container.ts';
import { output } from '../../support/program.ts';
import { type Chained, chainAfterBridge, removeChains } from '../chain.ts';

setDefaultTimeout(40_000);
afterEach(removeChains);

/** Bits a second. */
const limit = 40e6;
const burst = 400_000;

/** What iperf3 measured at the receiving end, in bits a second. The server serves one client, and ends. */
async function measure(
  server: string | undefined,
  client: string | undefined,
  address: string,
): Promise<number> {
  const serving = Bun.spawn([...within(server, ['iperf3', '--server', '--one-off'])], {
    stdout: 'ignore',
    stderr: 'ignore',
  });
  try {
    const run = ['iperf3', '--client', address, '--time', '3', '--json', '--connect-timeout', '2000'];
    for (let attempt = 0; ; attempt++) {
      try {
        const { end } = JSON.parse(await output(within(client, run))) as {
          end: { sum_received: { bits_per_second: number } };
        };
        return end.sum_received.bits_per_second;
      } catch (error) {
        if (attempt === 20) throw error;
        await Bun.sleep(50); // the server may not listen yet
      }
    }
  } finally {
    serving.kill();
    await serving.exited;
  }
}

const addressesOf = ({ before }: Chained) =>
  (before.ips ?? []).map(({ address, gateway = '' }) => ({
    container: address.replace(/\/.*/, ''),
    node: gateway,
  }));

/** The node to the container, and back: by family. */
async function rates(chain: Chained, family: 0 | 1): Promise<{ ingress: number; egress: number }> {
  const { container = '', node = '' } = addressesOf(chain)[family] ?? {};
  const { netns } = chain.container;
  return {
    ingress: await measure(netns, undefined, container),
    egress: await measure(undefined, netns, node),
  };
}

function expectLimited(rate: number): void {
  expect(rate).toBeLessThan(limit * 1.1);
  expect(rate).toBeGreaterThan(limit * 0.6);
}

/** Without a limit a veth is far faster, on any machine. */
function expectUnlimited(rate: number): void {
  expect(rate).toBeGreaterThan(limit * 4);
}

describe('traffic is held to', () => {
  test('both rates, over IPv4', async () => {
    const keys = { ingressRate: limit, ingressBurst: burst, egressRate: limit, egressBurst: burst };
    const chain = await chainAfterBridge({ type: 'bandwidth', ...keys });
    await chain.add();
    const { ingress, egress } = await rates(chain, 0);
    expectLimited(ingress);
    expectLimited(egress);
  });

  test('what the container sends only, over IPv6', async () => {
    const chain = await chainAfterBridge({ type: 'bandwidth', egressRate: limit, egressBurst: burst });
    await chain.add();
    const { ingress, egress } = await rates(chain, 1);
    expectUnlimited(ingress);
    expectLimited(egress);
  });

  test('what the container gets only, by the runtime’s word', async () => {
    const runtimeConfig = { bandwidth: { ingressRate: limit, ingressBurst: burst } };
    const chain = await chainAfterBridge({ type: 'bandwidth', runtimeConfig });
    await chain.add();
    const { ingress, egress } = await rates(chain, 0);
    expectLimited(ingress);
    expectUnlimited(egress);
  });

  test('nothing at all, with zeros', async () => {
    const keys = { ingressRate: 0, ingressBurst: 0, egressRate: 0, egressBurst: 0 };
    const chain = await chainAfterBridge({ type: 'bandwidth', ...keys });
    expect(await chain.add()).toEqual(chain.before);
    const { ingress, egress } = await rates(chain, 0);
    expectUnlimited(ingress);
    expectUnlimited(egress);
  });
});
