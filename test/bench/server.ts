/**
 * `process` of MAP create and renew against a plain mutable Map of objects that does the same job, at growing numbers of
 * live mappings, in random order. The state before each step stays usable. Run by `npm run bench`, or by itself:
 *
 *   node --expose-gc test/bench/server.ts [sizes…] [--renewals=N] [--json]
 *
 * Each side runs in a process of its own, as one side's heap would slow the other's collector.
 */
import { spawnSync } from "node:child_process"
import { parseArgs } from "node:util"
import type { CgnState } from "../../core/cgn/index.ts"
import { createServer, type Request, type ServerState, process as serve } from "../../core/server/index.ts"
import {
  type Address,
  addressFromIpv4,
  putU16,
  putU32,
  readAddress,
  readNonce,
  u16,
  u32,
  writeAddress,
} from "../../core/wire/index.ts"

const PER_SUBSCRIBER = 16

/** External addresses for so many mappings: their ports half taken. */
const poolFor = (size: number): Address[] =>
  Array.from({ length: Math.max(4, Math.ceil(size / 32256)) }, (_, i) => addressFromIpv4(0xcb007100 + i))

/** The request for mapping `i`: subscriber i / 16 of 10.0.0.0/8, its i % 16th port. */
const fillRequest = (bytes: Uint8Array, i: number): number => {
  const ip = 0x0a000000 + Math.floor(i / PER_SUBSCRIBER)
  putU32(bytes, 20, ip)
  putU16(bytes, 40, 5000 + (i % PER_SUBSCRIBER))
  putU32(bytes, 24, Math.imul(i, 0x9e3779b1))
  putU32(bytes, 28, i)
  putU32(bytes, 32, ~i)
  return ip
}

const template = (): Uint8Array => {
  const bytes = new Uint8Array(60)
  bytes[0] = 2
  bytes[1] = 1
  putU32(bytes, 4, 7200)
  writeAddress(bytes, 8, addressFromIpv4(0))
  bytes[36] = 17
  writeAddress(bytes, 44, addressFromIpv4(0))
  return bytes
}

/** A full-period order over 0 … n-1 that jumps all over memory. */
const shuffler = (n: number): ((i: number) => number) => {
  let step = Math.floor(n * 0.6180339887) | 1
  const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b))
  while (gcd(step, n) !== 1) step += 2
  return (i) => (i * step) % n
}

interface Subject {
  readonly step: (i: number, now: number) => number
}

const sallyport = (pool: readonly Address[]): Subject => {
  const made = createServer({
    external: pool,
    secret: new Uint8Array(32).fill(1),
    now: 0,
    ports: { first: 1024, last: 65535 },
    quota: 1000,
  })
  if (!made.ok) throw new Error(made.error.text)
  let state: ServerState<CgnState> = made.state
  const bytes = template()
  return {
    step: (i, now) => {
      const ip = fillRequest(bytes, i)
      const [next, response] = serve(state, { bytes, now, source: addressFromIpv4(ip), sourcePort: 5350 })
      state = next
      return response.reply === undefined ? 255 : response.reply[3]
    },
  }
}

/**
 * The same job as one would write it with mutable objects in Maps: the same request in, the same checks in their order,
 * whole 128-bit addresses in string keys, nonce, quota, external ends, deadlines in buckets of a second, counters, and the
 * reply with the list of changes out. Only the states before are gone.
 */
const plainMap = (pool: readonly Address[]): Subject => {
  interface Entry {
    readonly internal: Address
    readonly protocol: number
    readonly internalPort: number
    readonly external: Address
    readonly externalPort: number
    readonly nonce: string
    expires: number
    bucket: number
  }
  interface Subscriber {
    readonly external: number
    readonly mappings: Set<Entry>
  }
  const byInternal = new Map<string, Entry>()
  const byExternal = new Map<number, Entry>()
  const subscribers = new Map<Address, Subscriber>()
  const buckets = new Map<number, Set<Entry>>()
  const counters = { operation: new Uint32Array(256), result: new Uint32Array(256) }
  const hash = (text: string): number => {
    let h = 0x811c9dc5
    for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
    return (h ^ (h >>> 15)) >>> 0
  }
  const enter = (entry: Entry, second: number): void => {
    let bucket = buckets.get(second)
    if (bucket === undefined) {
      bucket = new Set()
      buckets.set(second, bucket)
    }
    bucket.add(entry)
    entry.bucket = second
  }
  const handle = (request: Request): { reply: Uint8Array; changes: readonly object[] } => {
    const { bytes, source, now } = request
    const fail = (code: number) => {
      const reply = bytes.slice()
      reply[1] |= 0x80
      reply[3] = code
      counters.operation[bytes[1]]++
      counters.result[code]++
      return { reply, changes: [] }
    }
    if (bytes.length < 2 || (bytes[1] & 0x80) !== 0 || bytes[0] !== 2 || bytes.length < 24) return fail(1)
    if (bytes.length > 1100 || (bytes.length & 3) !== 0) return fail(3)
    if (bytes[1] !== 1) return fail(4)
    if (bytes.length < 60) return fail(3)
    if (readAddress(bytes, 8) !== source) return fail(12)
    for (let at = 60; at < bytes.length; at += 4 + u16(bytes, at + 2)) if (bytes[at] < 128) return fail(5)
    const protocol = bytes[36]
    const internalPort = u16(bytes, 40)
    if (protocol === 0 || internalPort === 0) return fail(3)
    const nonce = readNonce(bytes, 24)
    const lifetime = Math.min(86400, Math.max(120, u32(bytes, 4)))
    const expires = now + lifetime * 1000
    const key = source + String.fromCharCode(protocol, internalPort)
    let entry = byInternal.get(key)
    let type = "renewed"
    if (entry !== undefined && entry.expires > now) {
      if (entry.nonce !== nonce) return fail(2)
      entry.expires = expires
    } else {
      let subscriber = subscribers.get(source)
      if (subscriber === undefined) {
        subscriber = { external: hash(source) % pool.length, mappings: new Set() }
        subscribers.set(source, subscriber)
      }
      if (subscriber.mappings.size >= 1000) return fail(10)
      const address = subscriber.external * 2 + (protocol === 6 ? 1 : 0)
      let port = 1024 + (hash(key) % 64512)
      while (byExternal.has(address * 65536 + port)) port = port === 65535 ? 1024 : port + 1
      entry = {
        internal: source,
        protocol,
        internalPort,
        external: pool[subscriber.external],
        externalPort: port,
        nonce,
        expires,
        bucket: 0,
      }
      type = "created"
      byInternal.set(key, entry)
      byExternal.set(address * 65536 + port, entry)
      subscriber.mappings.add(entry)
      enter(entry, Math.ceil(expires / 1000))
    }
    counters.operation[1]++
    counters.result[0]++
    const reply = new Uint8Array(60)
    reply[0] = 2
    reply[1] = 0x81
    putU32(reply, 4, lifetime)
    putU32(reply, 8, Math.floor(now / 1000))
    for (let i = 24; i < 42; i++) reply[i] = bytes[i]
    putU16(reply, 42, entry.externalPort)
    writeAddress(reply, 44, entry.external)
    return { reply, changes: [{ type, mapping: { ...entry } }] }
  }
  const bytes = template()
  return {
    step: (i, now) => {
      const ip = fillRequest(bytes, i)
      return handle({ bytes, now, source: addressFromIpv4(ip), sourcePort: 5350 }).reply[3]
    },
  }
}

/**
 * A lower bound, not the same job: IPv4 addresses alone, in number keys; no list of changes, no counters, no expiry, no
 * options.
 */
const leanMap = (pool: readonly Address[]): Subject => {
  interface Entry {
    readonly ip: number
    readonly port: number
    readonly externalAddress: number
    readonly externalPort: number
    readonly n0: number
    readonly n1: number
    readonly n2: number
    expires: number
  }
  const byInternal = new Map<number, Entry>()
  const byExternal = new Map<number, Entry>()
  const subscribers = new Map<number, { count: number }>()
  const bytes = template()
  const results = new Uint32Array(256)
  return {
    step: (i, now) => {
      fillRequest(bytes, i)
      if (bytes.length < 60 || bytes.length > 1100 || bytes[0] !== 2 || bytes[1] !== 1) return 3
      const ip = u32(bytes, 20)
      const port = u16(bytes, 40)
      const key = (ip * 2 + (bytes[36] === 6 ? 1 : 0)) * 65536 + port
      const lifetime = Math.min(86400, Math.max(120, u32(bytes, 4)))
      let entry = byInternal.get(key)
      if (entry !== undefined && entry.expires > now) {
        if (entry.n0 !== u32(bytes, 24) || entry.n1 !== u32(bytes, 28) || entry.n2 !== u32(bytes, 32)) return 2
        entry.expires = now + lifetime * 1000
      } else {
        let subscriber = subscribers.get(ip)
        if (subscriber === undefined) {
          subscriber = { count: 0 }
          subscribers.set(ip, subscriber)
        }
        if (subscriber.count >= 1000) return 10
        subscriber.count++
        const address = (Math.imul(ip, 0x9e3779b1) >>> 8) % pool.length
        let external = 1024 + ((Math.imul(key ^ ip, 0x85ebca6b) >>> 8) % 64512)
        while (byExternal.has(address * 65536 + external)) external = external === 65535 ? 1024 : external + 1
        entry = {
          ip,
          port,
          externalAddress: address,
          externalPort: external,
          n0: u32(bytes, 24),
          n1: u32(bytes, 28),
          n2: u32(bytes, 32),
          expires: now + lifetime * 1000,
        }
        byInternal.set(key, entry)
        byExternal.set(address * 65536 + external, entry)
      }
      const reply = new Uint8Array(60)
      reply.set(bytes)
      reply[1] |= 0x80
      reply[3] = 0
      putU32(reply, 4, lifetime)
      putU32(reply, 8, now / 1000)
      reply.fill(0, 12, 24)
      putU16(reply, 42, entry.externalPort)
      putU32(reply, 56, 0xcb007100 + entry.externalAddress)
      results[0]++
      return reply[3]
    },
  }
}

interface Figures {
  readonly size: number
  readonly create: number
  readonly renew: number
  readonly bytes: number
  readonly p50: number
  readonly p9999: number
  readonly max: number
}

const memory = (): number => {
  globalThis.gc?.()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

/** Runs a small one first, so that what is measured is compiled code at every size. */
const warmUp = (subject: Subject): void => {
  for (let round = 0; round < 10; round++)
    for (let i = 0; i < WARM; i++) if (subject.step(i, 1000 + round) !== 0) throw new Error("the warm-up was refused")
}

const WARM = 20_000

const measure = (make: (pool: readonly Address[]) => Subject, size: number, renewals: number): Figures => {
  const warm = make(poolFor(WARM))
  warmUp(warm)
  const subject = make(poolFor(size))
  const order = shuffler(size)
  const before = memory()
  let now = 1000
  let start = performance.now()
  for (let i = 0; i < size; i++) {
    if (subject.step(order(i), now) !== 0) throw new Error(`create ${i} was refused`)
    if (i % 1000 === 0) now++
  }
  const create = size / ((performance.now() - start) / 1000)
  const bytes = (memory() - before) / size
  // Throughput first, then latency step by step, as reading the clock costs as much as some steps.
  start = performance.now()
  for (let i = 0; i < renewals; i++) {
    if (subject.step(order((i * 7 + 3) % size), now) !== 0) throw new Error(`renew ${i} was refused`)
    if (i % 1000 === 0) now++
  }
  const renew = renewals / ((performance.now() - start) / 1000)
  const times = new Float64Array(renewals)
  let last = performance.now()
  for (let i = 0; i < renewals; i++) {
    subject.step(order((i * 11 + 5) % size), now)
    const at = performance.now()
    times[i] = at - last
    last = at
    if (i % 1000 === 0) now++
  }
  // Alive until here: what was compiled for shapes of objects that nothing has any more is thrown away by the collector.
  if (warm.step(0, now) !== 0) throw new Error("the warm-up was refused")
  times.sort()
  const at = (share: number) => times[Math.min(renewals - 1, Math.floor(renewals * share))] * 1000
  return { size, create, renew, bytes, p50: at(0.5), p9999: at(0.9999), max: times[renewals - 1] * 1000 }
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { renewals: { type: "string" }, subject: { type: "string" }, json: { type: "boolean" } },
})

if (values.subject !== undefined) {
  const size = Number(positionals[0])
  const make = values.subject === "map" ? plainMap : values.subject === "lean" ? leanMap : sallyport
  console.log(JSON.stringify(measure(make, size, Number(values.renewals))))
} else {
  const sizes = positionals.length > 0 ? positionals.map(Number) : [1000, 100_000, 1_000_000, 10_000_000]
  const child = (subject: string, size: number): Figures => {
    const renewals = values.renewals ?? String(Math.max(500_000, Math.min(5_000_000, size * 2)))
    const run = spawnSync(
      process.execPath,
      [
        "--expose-gc",
        "--max-old-space-size=12000",
        import.meta.filename,
        String(size),
        `--subject=${subject}`,
        `--renewals=${renewals}`,
      ],
      { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] },
    )
    return JSON.parse(run.stdout)
  }
  const k = (n: number) => `${Math.round(n / 1000)}k`
  for (const size of sizes) {
    const ours = child("sallyport", size)
    const plain = child("map", size)
    const lean = child("lean", size)
    if (values.json) {
      console.log(JSON.stringify({ size, ours, plain, lean }))
      continue
    }
    console.log(
      `${size} mappings: create ${k(ours.create)}/s (Map ${k(plain.create)}, x${(ours.create / plain.create).toFixed(2)}), ` +
        `renew ${k(ours.renew)}/s (Map ${k(plain.renew)}, x${(ours.renew / plain.renew).toFixed(2)}), ` +
        `${ours.bytes.toFixed(0)} B/mapping (Map ${plain.bytes.toFixed(0)}), ` +
        `renew step p50 ${ours.p50.toFixed(1)} p99.99 ${ours.p9999.toFixed(0)} max ${ours.max.toFixed(0)} µs ` +
        `(Map ${plain.p50.toFixed(1)} / ${plain.p9999.toFixed(0)} / ${plain.max.toFixed(0)}); ` +
        `lean lower bound: create ${k(lean.create)}, renew ${k(lean.renew)}`,
    )
  }
}
