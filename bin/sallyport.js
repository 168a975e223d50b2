#!/usr/bin/env node
// Plain JavaScript without anything new in it, so that an old Node can read it and say what is missing. The service itself is
// TypeScript that Node 24 runs as it is. Where an older Node started this file, the `node-*` package that npm installed beside
// the service (an optional dependency) runs it instead.

import { spawn } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';

const NEEDED_MAJOR = 24;
const SELF = fileURLToPath(import.meta.url);
const EXIT_BAD_SURROUNDINGS = 2;

/** Set for the process that this file starts: it has a channel to this one and ends with it. Not a setting. */
const SUPERVISED = 'NODE_SALLYPORT_SUPERVISED';

/** Where glibc is told how to come by memory; it looks once, when a process begins. Who sets it, be it to nothing, keeps what was set. */
const TUNABLES = 'GLIBC_TUNABLES';
const HUGE_PAGES = 'glibc.malloc.hugetlb=1';
/** Set for the process that begins anew, which does so once: glibc takes its variable away from a program with capabilities. Not a setting. */
const BEGUN_ANEW = 'NODE_SALLYPORT_BEGUN_ANEW';

if (major() >= NEEDED_MAJOR) {
  beginWithHugePages();
  letEndedCallsDieYoung();
  hideKnownWarnings();
  endWithParent();
  import('../src/main.ts').then(
    (service) => service.main(process.argv.slice(2)).then((code) => process.exit(code)),
    (error) => fail(`Sallyport could not be loaded: ${error.stack || error}`, 1),
  );
} else {
  runUnder(bundledNode());
}

/**
 * Hashes and large indexes wait less for memory that comes in pages of 2 MiB (docs/decisions/0014-huge-pages.md). So the service begins anew,
 * in the same process. Commands are over before that would pay, and a process with a channel would lose it.
 */
function beginWithHugePages() {
  const [command = 'serve'] = process.argv.slice(2);
  const isAnew = BEGUN_ANEW in process.env;
  delete process.env[BEGUN_ANEW];
  if (isAnew) return;
  if (process.platform !== 'linux' || TUNABLES in process.env || process.channel || command !== 'serve') return;
  const args = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  try {
    // Node does not throw when the system refuses, it aborts: what can be asked beforehand is.
    accessSync(process.execPath, constants.X_OK);
    process.execve(process.execPath, args, environment({ [BEGUN_ANEW]: '1' }));
  } catch {
    // Not permitted here, or a Node without it: the service runs all the same.
  }
}

function environment(more) {
  const ours = process.platform === 'linux' ? { [TUNABLES]: HUGE_PAGES } : {};
  return Object.assign(ours, process.env, more);
}

/**
 * V8 learns under load that the objects of HTTP/2 streams outlive a collection, from then on puts them where only a full one frees them, and
 * what they reach stays with them. What that costs was measured: docs/decisions/0013-no-pretenuring.md.
 */
function letEndedCallsDieYoung() {
  setFlagsFromString('--no-allocation-site-pretenuring');
}

function major() {
  return Number(process.versions.node.split('.')[0]);
}

/** The Node that npm installed, where the platform has one and optional packages were not left out. */
function bundledNode() {
  const name = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;
  const file = process.platform === 'win32' ? 'bin/node.exe' : 'bin/node';
  return fileURLToPath(new URL(`../node_modules/${name}/${file}`, import.meta.url));
}

function runUnder(node) {
  if (process.env[SUPERVISED] || !existsSync(node)) fail(needsNode(), EXIT_BAD_SURROUNDINGS);
  const child = spawn(node, [SELF].concat(process.argv.slice(2)), {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: environment({ [SUPERVISED]: '1' }),
  });
  // On musl (Alpine) the file is there and its loader is not.
  child.on('error', (error) => fail(`${needsNode()}\n(${node} does not run: ${error.code})`, EXIT_BAD_SURROUNDINGS));
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR2']) passOn(signal, child);
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}

function passOn(signal, child) {
  process.on(signal, () => {
    // Ctrl-C reaches the whole terminal group: passing it on would make it two.
    if (signal === 'SIGINT' && process.stdin.isTTY) return;
    child.kill(signal);
  });
}

/** When the process that started this one is killed, nobody is left to pass a signal on. */
function endWithParent() {
  if (!process.env[SUPERVISED] || !process.channel) return;
  delete process.env[SUPERVISED];
  process.channel.unref();
  process.on('disconnect', () => process.kill(process.pid, 'SIGTERM'));
}

/** Early versions of Node 24 call what the service is built on experimental. Every other warning is shown. */
function hideKnownWarnings() {
  const listeners = process.listeners('warning');
  process.removeAllListeners('warning');
  process.on('warning', (warning) => {
    if (warning.name === 'ExperimentalWarning' && /SQLite|Type Stripping/.test(warning.message)) return;
    for (const listener of listeners) listener.call(process, warning);
  });
}

function needsNode() {
  return `Sallyport needs Node ${NEEDED_MAJOR} or newer; this is Node ${process.versions.node}.
Either install Node ${NEEDED_MAJOR} (https://nodejs.org), or run \`npm ci\` without \`--omit=optional\`: on Linux (glibc) and
Windows it brings a Node of its own, which \`npm start\` then uses.`;
}

function fail(message, code) {
  process.stderr.write(`${message}\n`);
  process.exit(code);
}
