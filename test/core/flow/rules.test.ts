/** Every rule of the reference's sections A2, A5 and A8 that is kept, and every fault of theirs that is not repeated, with the test that shows it. */
import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { test } from "node:test"

type Row = readonly [rule: string, test: string]

const RULES: Readonly<Record<string, readonly Row[]>> = {
  "first.test.ts": [
    [
      "A2 client 3, 4, 6: a fresh port cp, the name to 3359, the flow is cp <-> sp",
      "a client asks from a port of its own, at 3359; the server answers from one of its own",
    ],
    ["A2 client 2: QoS is not for UDP", "of a quality of service its timeout alone counts"],
    ["A2 client 5, fault: blocks on a lost echo", "a lost echo blocks nobody"],
    [
      "A2 server: PENDING until the application answers",
      "a request is pending until the application answers; only then comes the echo",
    ],
    ["A2 response != 0 deletes, fault: the client holds it for allocated", "a negative response deletes it"],
    ["A2 fault: no negative answer on the wire", "a server that echoes at once and refuses then, as the original"],
    ["A2 response: unknown flow, or one that is not pending", "an answer to a request that is not pending is refused"],
    ["A2 fault: no request id, duplicates", "an echo that comes again is no message"],
    ["A2 fault: an echo from anybody", "an echo must have the name's octets and come from the address that was asked"],
    ["A2 fault: no source check", "a message from anywhere but the flow's own end is dropped"],
    ["A2 fault: lookup fails, the listener leaks", "what is no name is dropped, and a name that nobody registered"],
    [
      "A2 fault: deallocation is a stub",
      "its flows are kept alive by datagrams without octets, and ended like today's",
    ],
    ["A2 fault: flows leak on errors", "a socket that cannot be had ends what needs it"],
  ],
  "wire.test.ts": [
    [
      "A2 (eb9f4437): the length is that of the name, no NUL",
      "A2, A1: a request is the name's octets, without a length and without a NUL",
    ],
    ["A2 client 1: 255 octets at most", "A2: names have 255 octets at most"],
    ["A5 golden vector FLOW_REQ", "A5: FLOW_REQ of 63 octets"],
    ["A5 golden vector FLOW_REPLY", "A5: FLOW_REPLY of 47 octets"],
    ["A5 response: negative errno", "A5: a refusal is a negated error number, 32 bits signed"],
    ["A5 fields and piggyback", "A5: every field of the spec has its place, and piggyback data is all that follows"],
    ["A5 data packet", "A5: a data packet is the receiver's endpoint id and the octets"],
    ["A5 n < 4, n < 47: runt", "A5: what is shorter than an endpoint id, a management message or its hash is a runt"],
    [
      "A5 unknown code; fault: a buffer of 2048 for 8980 octets",
      "A5: unknown codes, s_eid 0, an acceptance without d_eid, and more than 8980 octets are refused",
    ],
  ],
  "rule.test.ts": [
    ["A5 EIDs: 64 to 4095", "are counted from 64 to 4095, as the reference's descriptors"],
    ["A5 beyond: random EIDs", "are random where the settings say so"],
    ["A5 no EID again while a packet for it can come", "rest after their flow"],
    ["A5 receive: runts", "fewer than 4 octets, and a management message of fewer than 47, are runts"],
    ["A5 receive: unknown code", "an unknown code is dropped"],
    ["A5 receive: unknown EID", "a message for no flow is dropped"],
    ["A5 fault: the source of data is not checked", "a message must come from its flow's peer, address and port"],
    [
      "A5 FLOW_REPLY from r_saddr alone; fault: s_eid is an unchecked index",
      "a reply must come from whom was asked, byte for byte; its s_eid may be any number",
    ],
    ["A5 fault: the reply may come before the flow is stored", "the request is known before it leaves"],
    [
      "A5 fault: the management queue is LIFO",
      "are handled in the order in which they come, where the reference takes the last first",
    ],
    ["A5 fault: no retransmission", "after 500 ms, then after twice the time, 4000 ms at most"],
    ["A5 fault: no duplicate detection of FLOW_REQ", "a repeated request makes no second flow"],
    ["A5 a lost reply", "a lost reply is made good by the repeated request"],
    ["A5 no dealloc on the wire: the timeout", "a peer that is silent for the flow's timeout is gone: EFLOWPEER"],
    ["A5 timeout 0 = none", "a timeout of 0 never ends a flow"],
    [
      "A5 beyond: a requester's timeout is bounded",
      "of 0, or longer than the bound, is the bound at the side that was asked",
    ],
    ["A5 beyond: keep-alive", "a quarter of the timeout without a message is answered by a keep-alive"],
    [
      "A5 fault: payloads of MAX-3 to MAX are cut",
      "octets at most, the endpoint id with it, so that no message is cut",
    ],
  ],
  "state.test.ts": [
    ["A8 the enumeration", "the enumeration has the reference's numbers"],
    ["A8 INIT, flow_alloc", "INIT -> ALLOC_PENDING by flow_alloc"],
    ["A8 INIT, flow_accept", "INIT -> ACCEPT_PENDING by flow_accept"],
    ["A8 ALLOC_PENDING, reply 0", "ALLOC_PENDING -> ALLOCATED by a reply with response 0"],
    ["A8 ALLOC_PENDING, reply not 0", "ALLOC_PENDING -> DEALLOCATED by a reply that refuses"],
    ["A8 rsp_data of a refusal is empty", "a reply that refuses has no data"],
    ["A8 ALLOC_PENDING, timeout: -ETIMEDOUT", "ALLOC_PENDING -> DEALLOCATED by time: ETIMEDOUT"],
    [
      "A8 ALLOC_PENDING, timeout without one of the caller's: -EPERM",
      "ALLOC_PENDING -> DEALLOCATED by time, 20000 ms where the caller gave none: EPERM",
    ],
    ["A8 ACCEPT_PENDING, REQ_ARR", "ACCEPT_PENDING -> ALLOCATED by a request, with its data and its timeout"],
    [
      "A8 ACCEPT_PENDING, REQ_ARR, answered",
      "ACCEPT_PENDING -> ALLOCATED by a request that was offered and answered with 0",
    ],
    ["A8 ACCEPT_PENDING, timeout", "ACCEPT_PENDING -> DEALLOCATED by time: ETIMEDOUT"],
    ["A8 ACCEPT_PENDING, teardown: -EPIPE", "ACCEPT_PENDING -> DEALLOCATED by teardown of its name: EPIPE"],
    ["A8 ALLOCATED, flow_dealloc", "ALLOCATED -> DEALLOC_PENDING by flow_dealloc"],
    ["A8 DEALLOC_PENDING, IPCP_FLOW_DEALLOC", "DEALLOC_PENDING -> DEALLOCATED -> destroyed"],
    ["A8 any pending, process exit", "any pending -> DEALLOCATED when the process exits"],
    ["A8 late reply: -EBADF", "a late reply on a flow that is over, or was destroyed, is refused"],
    ["A5 fault: one request at a time (alloc_id)", "several requests are in flight at once"],
    [
      "A5 fault: nothing is sent back when IRMd refuses",
      "an unknown name, and one that is not registered: ENAME, and the requester is told",
    ],
    ["A2 the original test: 1000 names", "names are registered and unregistered"],
  ],
  "model.test.ts": [["A5 thousands of flows", "no message reaches a flow that it was not written for, however late"]],
  "network.test.ts": [
    ["A5, A8 loss, repetition, order, spoofing, damage", "what arrives is what was written to that flow by its peer"],
    ["A5 replays", "A5: replayed requests and replies make no flow that was not asked for"],
    ["A5, A2 noise", "A5, A2: any octets from anybody: none throws, and what they make is bounded"],
  ],
  "../../adapters/flow/dns.test.ts": [
    [
      "A5 fault: the address that DDNS found goes nowhere; A instead of AAAA",
      "A7: a name is published by an update, found with its port, moved, and taken out",
    ],
  ],
  "../../adapters/flow/service.test.ts": [
    ["A2 fault: the listener's process stops", "a listener is not stopped by what strangers send"],
    ["A9 partial reads", "A9: a read of fewer octets than a message has gives it in parts"],
    ["A9 RDONLY, WRONLY", "A9: on a flow for reading a write is EPERM"],
  ],
}

for (const [file, rows] of Object.entries(RULES))
  test(`each rule that ${file} is said to show has its test there`, () => {
    const source = readFileSync(new URL(file, import.meta.url), "utf8")
    const names = [...source.matchAll(/\btest\(\s*(["`])([\s\S]*?)\1,/g)].map(([, , name = ""]) => name)
    assert.ok(names.length > 0)
    for (const [rule, name] of rows)
      assert.equal(names.filter((one) => one.includes(name)).length, 1, `${rule}: ${name}`)
  })
