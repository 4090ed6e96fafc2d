import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { type Host, type HostListener, type Machine, type MachineOutgoing, startHost } from "../../adapters/host.ts"
import type { Endpoint } from "../../adapters/udp.ts"
import { fakeClock, fakeUdp } from "./fake.ts"
import { address } from "./udp-suite.ts"

interface Alarm {
  readonly heard: readonly string[]
  readonly alarms: readonly number[]
}

const at = (text: string, port: number, zone?: string): Endpoint => ({ address: address(text), port, zone })
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

/** Echoes; `@500` sets an alarm at 500 ms, which then calls the group and one peer; `boom` throws. */
const alarms: Machine<Alarm, string> = {
  receive: (state, datagram) => {
    const text = new TextDecoder().decode(datagram.bytes)
    if (text === "boom") throw new Error("receive")
    const alarm = text.startsWith("@") ? Number(text.slice(1)) : undefined
    const after = {
      heard: [...state.heard, text],
      alarms: alarm === undefined ? state.alarms : [...state.alarms, alarm].sort((a, b) => a - b),
    }
    const send = [
      { bytes: datagram.bytes, destination: { address: datagram.source.address, port: datagram.source.port } },
    ]
    return [after, { send, next: alarm, events: text === "quiet" ? [] : [text] }]
  },
  advance: (state, now) => {
    if (state.alarms[0] === 666) throw new Error("advance")
    const due = state.alarms.filter((alarm) => alarm <= now)
    const left = state.alarms.filter((alarm) => alarm > now)
    const send: MachineOutgoing[] = due.flatMap((alarm) => [
      { bytes: bytes(`all ${alarm}`), destination: at("224.0.0.1", 5350) },
      { bytes: bytes(`six ${alarm}`), destination: at("2001:db8::9", 5350) },
      { bytes: bytes(`from ${alarm}`), destination: at("192.0.2.9", 1), from: address("192.0.2.2") },
    ])
    return [
      { ...state, alarms: left },
      { send, next: left[0], events: due.map((alarm) => `due ${alarm} at ${now}`) },
    ]
  },
}

const start = async (listener: HostListener<string> = {}) => {
  const time = fakeClock()
  const net = fakeUdp()
  const sockets = [at("192.0.2.1", 5351), at("192.0.2.2", 5351), at("2001:db8::1", 5351)].map((local) => ({ local }))
  const state: Alarm = { heard: [], alarms: [] }
  const started = await startHost({ udp: net.udp, clock: time.clock, machine: alarms, state, sockets, listener })
  assert.ok(started.ok)
  const host: Host<Alarm, string> = started.value
  const sent = () =>
    net.sockets.map((socket) => socket.sent.splice(0).map((outgoing) => new TextDecoder().decode(outgoing.bytes)))
  return { time, net, host, sent }
}

describe("startHost", () => {
  it("answers from the socket that received, and keeps the zone of a link-local peer", async () => {
    const { net, host, sent } = await start()
    net.deliver(1, at("198.51.100.7", 40000), bytes("one"))
    net.deliver(2, at("fe80::7", 40000, "eth0"), bytes("two"))
    assert.deepEqual(net.sockets[2].sent[0].destination, at("fe80::7", 40000, "eth0"))
    assert.deepEqual(sent(), [[], ["one"], ["two"]])
    assert.deepEqual(host.state().heard, ["one", "two"])
  })

  it("keeps one timer, for the earliest instant that the machine named", async () => {
    const { time, net, host, sent } = await start()
    assert.deepEqual(time.pending(), [0])
    time.moveTo(1)
    assert.deepEqual(time.pending(), [])
    const peer = at("198.51.100.7", 40000)
    net.deliver(0, peer, bytes("@900"))
    net.deliver(0, peer, bytes("@500"))
    net.deliver(0, peer, bytes("@700"))
    assert.deepEqual(time.pending(), [500])
    const armed = time.armed()
    for (let i = 0; i < 100; i++) net.deliver(0, peer, bytes("quiet"))
    assert.equal(time.armed(), armed, "datagrams that need no time set no timer")
    sent()
    time.moveTo(600)
    assert.deepEqual(time.pending(), [700])
    assert.deepEqual(sent(), [["all 500"], ["all 500", "from 500"], ["six 500"]])
    time.moveTo(2000)
    assert.deepEqual(time.pending(), [])
    assert.deepEqual(host.state().alarms, [])
  })

  it("asks again when a timer fires before its time", async () => {
    const { time, net, host } = await start()
    time.moveTo(0)
    net.deliver(0, at("198.51.100.7", 1), bytes("@500"))
    time.fireEarly()
    assert.deepEqual(host.state().alarms, [500])
    assert.deepEqual(time.pending(), [500])
  })

  it("tells events with their instant, and never an empty list", async () => {
    const events: (readonly [number, readonly string[]])[] = []
    const { time, net } = await start({ events: (list, now) => events.push([now, list]) })
    net.deliver(0, at("198.51.100.7", 1), bytes("quiet"))
    net.deliver(0, at("198.51.100.7", 1), bytes("@40"))
    time.moveTo(50)
    assert.deepEqual(events, [
      [0, ["@40"]],
      [40, ["due 40 at 40"]],
    ])
  })

  it("survives a machine that throws: the state before that step stays, and time goes on", async () => {
    const faults: unknown[] = []
    const { time, net, host, sent } = await start({ fault: (cause) => faults.push(cause) })
    time.moveTo(0)
    net.deliver(0, at("198.51.100.7", 1), bytes("before"))
    net.deliver(0, at("198.51.100.7", 1), bytes("boom"))
    net.deliver(0, at("198.51.100.7", 1), bytes("after"))
    assert.equal(faults.length, 1)
    assert.deepEqual(host.state().heard, ["before", "after"])
    assert.deepEqual(sent()[0], ["before", "after"])
    net.deliver(0, at("198.51.100.7", 1), bytes("@666"))
    time.moveTo(667)
    assert.equal(faults.length, 2)
    assert.deepEqual(time.pending(), [1666], "advance is tried again a second later")
  })

  it("survives an owner that throws", async () => {
    const faults: unknown[] = []
    const { net, host } = await start({
      events: () => {
        throw new Error("owner")
      },
      fault: (cause) => faults.push(cause),
    })
    net.deliver(0, at("198.51.100.7", 1), bytes("one"))
    assert.equal(faults.length, 1)
    assert.deepEqual(host.state().heard, ["one"])
  })

  it("takes a step of its owner's own: state, alarm, datagrams and events, and no state of one that throws", async () => {
    const events: string[] = []
    const { time, host, sent } = await start({ events: (list) => events.push(...list) })
    time.moveTo(5)
    host.act((state, now) => [
      { ...state, alarms: [70] },
      { send: [{ bytes: bytes("all"), destination: at("ff02::1", 5350) }], next: 70, events: [`acted at ${now}`] },
    ])
    assert.deepEqual(sent(), [[], [], ["all"]])
    assert.deepEqual(events, ["acted at 5"])
    assert.deepEqual(time.pending(), [70])
    assert.throws(() =>
      host.act(() => {
        throw new Error("step")
      }),
    )
    assert.deepEqual(host.state().alarms, [70])
  })

  it("pushes to a client from the socket that heard it last, and to others from the first of their family", async () => {
    const { net, host, sent } = await start()
    net.deliver(1, at("198.51.100.7", 40000), bytes("one"))
    sent()
    const push = (text: string) => ({ bytes: bytes(text), destination: at(text, 40000) })
    host.act((state) => [
      state,
      { send: [push("198.51.100.7"), push("198.51.100.8"), push("2001:db8::7")], next: undefined, events: [] },
    ])
    assert.deepEqual(sent(), [["198.51.100.8"], ["198.51.100.7"], ["2001:db8::7"]])
  })

  it("multicasts from every socket of the family but [::1], which reaches nobody", async () => {
    const net = fakeUdp()
    const sockets = ["127.0.0.1", "::1", "2001:db8::1"].map((text) => ({ local: at(text, 5351) }))
    const state: Alarm = { heard: [], alarms: [] }
    const started = await startHost({ udp: net.udp, clock: fakeClock().clock, machine: alarms, state, sockets })
    assert.ok(started.ok)
    const send = ["224.0.0.1", "ff02::1"].map((text) => ({ bytes: bytes(text), destination: at(text, 5350) }))
    started.value.act((before) => [before, { send, next: undefined, events: [] }])
    assert.deepEqual(
      net.sockets.map(({ sent }) => sent.map((outgoing) => new TextDecoder().decode(outgoing.bytes))),
      [["224.0.0.1"], [], ["ff02::1"]],
    )
  })

  it("says how long each datagram took", async () => {
    const durations: number[] = []
    const { net } = await start({ took: (duration) => durations.push(duration) })
    net.deliver(0, at("198.51.100.7", 1), bytes("one"))
    net.deliver(0, at("198.51.100.7", 1), bytes("boom"))
    assert.deepEqual(durations, [0], "the fake clock stands still, and what threw was not served")
  })

  it("passes on socket errors with the socket's own end", async () => {
    const errors: string[] = []
    const { net } = await start({ socketError: (error, local) => errors.push(`${error.code} ${local.port}`) })
    const { receiver, socket } = net.sockets[1]
    receiver.error({ code: "ECONNREFUSED", text: "" }, socket)
    assert.deepEqual(errors, ["ECONNREFUSED 5351"])
  })

  it("binds all or none, and answers nobody before all are there", async () => {
    const net = fakeUdp(7)
    const sockets = [at("192.0.2.1", 5351), at("192.0.2.1", 7)].map((local) => ({ local }))
    const time = fakeClock()
    const state: Alarm = { heard: [], alarms: [] }
    const starting = startHost({ udp: net.udp, clock: time.clock, machine: alarms, state, sockets })
    net.deliver(0, at("198.51.100.7", 1), bytes("too soon"))
    const started = await starting
    assert.equal(started.ok, false)
    assert.deepEqual(started.ok || [started.error.code, started.local.port], ["EADDRINUSE", 7])
    assert.deepEqual(
      net.sockets.map((socket) => [socket.open, socket.sent.length]),
      [[false, 0]],
    )
    assert.deepEqual(time.pending(), [])
  })

  it("stops once: sockets closed, no timer, nothing answered, the last state given", async () => {
    const { time, net, host, sent } = await start()
    net.deliver(0, at("198.51.100.7", 1), bytes("@5000"))
    const before = host.state()
    sent()
    assert.equal(await host.stop(), before)
    assert.equal(await host.stop(), before)
    net.deliver(0, at("198.51.100.7", 1), bytes("late"))
    assert.deepEqual(sent(), [[], [], []])
    assert.deepEqual(time.pending(), [])
    assert.ok(net.sockets.every((socket) => !socket.open))
  })
})
