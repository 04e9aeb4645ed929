import { expect, test } from 'bun:test';
import { result } from './result-builder.ts';
import { encodeResult } from './result-encode.ts';

test('a result is built', () => {
  const built = result();
  expect(built.addInterface({ name: 'cni0' })).toBe(0);
  const eth0 = built.addInterface({ name: 'eth0', sandbox: '/run/netns/a' });
  built.addIp({ address: '10.0.0.2/24', interface: eth0 });
  built.addRoute({ dst: '0.0.0.0/0' });
  built.setDns({ nameservers: ['10.0.0.1'] });
  built.changeInterface(0, { mac: '02:00:00:00:00:01' });
  expect(encodeResult(built, '1.1.0')).toEqual({
    cniVersion: '1.1.0',
    dns: { nameservers: ['10.0.0.1'] },
    interfaces: [
      { name: 'cni0', mac: '02:00:00:00:00:01' },
      { name: 'eth0', sandbox: '/run/netns/a' },
    ],
    ips: [{ address: '10.0.0.2/24', interface: 1 }],
    routes: [{ dst: '0.0.0.0/0' }],
  });
});

test('the previous result is continued, not changed', () => {
  const previous = { interfaces: [{ name: 'a' }], dns: { domain: 'x' } };
  const built = result(previous);
  expect(built.addInterface({ name: 'b' })).toBe(1);
  expect(built.dns).toEqual({ domain: 'x' });
  expect(previous.interfaces).toEqual([{ name: 'a' }]);
});

test('an interface that is not there cannot be changed', () => {
  expect(() => result().changeInterface(0, {})).toThrow('has 0 interfaces, none of index 0');
});
