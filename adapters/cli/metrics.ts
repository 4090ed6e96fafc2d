import { createServer, type Server } from "node:http"
import { AggregatorRegistry, Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client"
import type { Counters } from "../../core/cgn/index.ts"
import { reasonOf } from "../system-error.ts"
import type { Endpoint } from "../udp.ts"
import { bindReason } from "./bind-error.ts"
import { countersOf } from "./counter-names.ts"
import type { Device } from "./device/device.ts"
import { formatEndpoint } from "./endpoint.ts"
import type { Read } from "./read.ts"
import { version } from "./version.ts"

/** What a scrape reads. */
export interface MetricsSource {
  readonly counters: () => Counters
  /** Epoch Time, seconds. */
  readonly epoch: () => number
  /** Mappings by kind. */
  readonly kinds: () => Readonly<Record<string, number>>
  /** `undefined`: the device has no pool. */
  readonly pool: () => ReturnType<Device<unknown>["pool"]>
  /** Before each scrape, where the numbers are elsewhere. */
  readonly refresh?: () => Promise<void>
  /** The latency histograms of other threads, in prom-client's JSON, where {@link Metrics.took} hears nothing. */
  readonly latency?: () => Promise<readonly (readonly object[])[]>
}

/** A server of Prometheus metrics at `/metrics`, and of `/healthz`. */
export interface Metrics {
  /** Where it listens: `127.0.0.1:9351`. */
  readonly where: string
  /** One datagram took so many milliseconds. */
  took(duration: number): void
  stop(): Promise<void>
}

/** Seconds; a request takes some tens of microseconds. */
const BUCKETS = [1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 1e-2, 0.1, 1]

export const startMetrics = async (endpoint: Endpoint, source: MetricsSource): Promise<Read<Metrics>> => {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  register(registry, source)
  const latency = source.latency === undefined ? latencyIn(registry) : undefined
  const scrape = async (): Promise<string> => {
    await source.refresh?.()
    const own = await registry.metrics()
    if (source.latency === undefined) return own
    return own + (await AggregatorRegistry.aggregate([...(await source.latency())].map((one) => [...one])).metrics())
  }
  const server = createServer((request, response) => {
    const path = request.url?.split("?")[0]
    const reply = (status: number, type: string, text: string): void => {
      response.writeHead(status, { "content-type": type, "cache-control": "no-store" })
      response.end(request.method === "HEAD" ? undefined : text)
    }
    if (request.method !== "GET" && request.method !== "HEAD") {
      response.setHeader("allow", "GET, HEAD")
      reply(405, PLAIN, "only GET and HEAD\n")
    } else if (path === "/healthz") reply(200, PLAIN, "ok\n")
    else if (path === "/metrics")
      scrape().then(
        (text) => reply(200, registry.contentType, text),
        (cause) => reply(500, PLAIN, `${reasonOf(cause)}\n`),
      )
    else reply(404, PLAIN, "there are /metrics and /healthz\n")
  })
  server.maxConnections = 64
  server.requestTimeout = 10_000
  const bound = await listening(server, endpoint)
  if (!bound.ok) return bound
  return {
    ok: true,
    value: {
      where: formatEndpoint({ ...endpoint, port: bound.value }),
      took: (duration) => latency?.observe(duration / 1000),
      stop: () =>
        new Promise((resolve) => {
          server.close(() => resolve())
          server.closeAllConnections()
        }),
    },
  }
}

const latencyIn = (registry: Registry): Histogram =>
  new Histogram({
    name: "sallyport_request_duration_seconds",
    help: "Time from a datagram's arrival in the process until its answer was handed to the system.",
    buckets: BUCKETS,
    registers: [registry],
  })

/** The latency histogram of one of several threads. */
export const startLatency = () => {
  const registry = new Registry()
  const latency = latencyIn(registry)
  return {
    /** One datagram took so many milliseconds. */
    took: (duration: number): void => latency.observe(duration / 1000),
    json: (): Promise<readonly object[]> => registry.getMetricsAsJSON(),
  }
}

const PLAIN = "text/plain; charset=utf-8"

const listening = (server: Server, endpoint: Endpoint): Promise<Read<number>> =>
  new Promise((resolve) => {
    const { port } = endpoint
    // formatEndpoint's brackets are not the socket's.
    const host = formatEndpoint(endpoint).replace(/^\[?(.*?)\]?:\d+$/, "$1")
    server.once("error", (cause: NodeJS.ErrnoException) =>
      resolve({ ok: false, text: `${formatEndpoint(endpoint)} ${bindReason(cause.code, cause.message, "--metrics")}` }),
    )
    server.listen({ host, port, exclusive: true }, () => {
      server.removeAllListeners("error").on("error", () => {})
      const bound = server.address()
      resolve({ ok: true, value: typeof bound === "object" && bound !== null ? bound.port : port })
    })
  })

const register = (registry: Registry, { counters, epoch, kinds, pool }: MetricsSource): void => {
  const registers = [registry]
  const gauge = (name: string, help: string, read: () => number): void => {
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read())
      },
    })
  }
  gauge("sallyport_pool_addresses", "External addresses of the pool.", () => pool()?.addresses ?? 0)
  gauge("sallyport_epoch_seconds", "Epoch Time.", epoch)
  const byTransport = (name: string, help: string, of: "ports" | "taken"): void => {
    new Gauge({
      name,
      help,
      labelNames: ["protocol"],
      registers,
      collect() {
        const use = pool()
        this.set({ protocol: "udp" }, use?.udp[of] ?? 0)
        this.set({ protocol: "tcp" }, use?.tcp[of] ?? 0)
      },
    })
  }
  byTransport("sallyport_pool_ports", "Ports of all external addresses that can be assigned.", "ports")
  byTransport("sallyport_pool_ports_used", "Those of them that are mapped, held or reserved as a companion.", "taken")
  new Gauge({
    name: "sallyport_info",
    help: "The version that runs.",
    labelNames: ["version"],
    registers,
  }).set({ version: version() }, 1)
  new Gauge({
    name: "sallyport_mappings",
    help: "Mappings by kind; held: external ports that wait for their former owner.",
    labelNames: ["kind"],
    registers,
    collect() {
      for (const [kind, count] of Object.entries(kinds())) this.set({ kind }, count)
    },
  })
  const counter = (name: string, help: string, labelNames: readonly string[], vectors: readonly string[]): void => {
    new Counter({
      name,
      help,
      labelNames: [...labelNames],
      registers,
      collect() {
        // The server counts; here is but what it says now.
        this.reset()
        for (const { vector, labels, count } of countersOf(counters()))
          if (vectors.includes(vector)) this.inc({ ...labels }, count)
      },
    })
  }
  counter(
    "sallyport_requests_total",
    "Requests by protocol and opcode.",
    ["protocol", "opcode"],
    ["operation", "natpmp-operation"],
  )
  counter(
    "sallyport_responses_total",
    "Responses by protocol and result.",
    ["protocol", "result"],
    ["result", "natpmp-result"],
  )
  counter("sallyport_options_total", "Options of PCP requests.", ["option"], ["option"])
  counter("sallyport_subscriber_cache_total", "Looks into the subscriber cache.", ["answer"], ["cache"])
  counter("sallyport_dropped_total", "Datagrams without an answer, by reason.", ["reason"], ["drop"])
}
