import { startTcpProxy, type TcpProxy } from '../tcp-proxy.ts';

/** A proxy before the (first) server of `uri`, and the address that goes through it: straight to that server, whatever its set says. */
export async function startMongoThroughProxy(uri: string): Promise<{ readonly proxy: TcpProxy; readonly uri: string }> {
  const parts =
    /^mongodb:\/\/(?<user>[^@/]*@)?(?<host>[^:,/?]+)(?::(?<port>\d+))?(?:,[^/?]*)?(?<path>\/[^?]*)?(?:\?(?<options>.*))?$/.exec(
      uri,
    )?.groups;
  if (parts === undefined) throw new Error('MONGODB_URI must be of the form mongodb://HOST:PORT for the tests');
  const proxy = await startTcpProxy({ host: parts['host'] ?? '', port: Number(parts['port'] ?? 27017) });
  const options = (parts['options'] ?? '')
    .split('&')
    .filter((option) => option !== '' && !/^(replicaSet|directConnection)=/i.test(option));
  const query = ['directConnection=true', ...options].join('&');
  return { proxy, uri: `mongodb://${parts['user'] ?? ''}127.0.0.1:${proxy.port}${parts['path'] ?? '/'}?${query}` };
}
