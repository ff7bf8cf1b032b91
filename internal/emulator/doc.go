// Package emulator plays the managed-Redis APIs of four clouds on one loopback
// port, so that everything above the wire can be tried without an account:
// Volcengine (version 2020-12-07), Huawei DCS v2, Tencent API 3.0 (2018-04-12)
// and Tencent's legacy CRS v2. It serves `consumer emulate`, `consumer demo` and
// the tests of other packages.
//
// It is faithful where the vendors document a behaviour (signatures, envelopes,
// codes, status values, quotas, formats of time) and switchable where they do not
// ([Quirks]). It shares no code with the adapters that it judges, holds no Redis,
// keeps everything in memory and must only ever listen on loopback.
//
// # Who is asked
//
// The shape of a request tells the clouds apart: path /v2/index.php is CRS, any
// other path below /v2/ is Huawei, an X-TC header or a TC3 signature is Tencent,
// an Action in the query is Volcengine. /_emulator/ is the emulator's own
// administration; GET it for help.
//
// Every vendor takes the key [DefaultAccessKey] with [DefaultSecretKey]. Signatures
// are verified from the headers that the client says it signed.
//
// # Magic values
//
// Any id of 3 to 64 letters, digits and dashes names a running instance, made when
// it is first mentioned. Some ids and values behave otherwise:
//
//	instance id contains missing, unknown, nonexist   does not exist
//	instance id contains fails                        accepted work ends failed
//	instance id contains redis3                       Redis 3.0 (Huawei refuses to flush it)
//	instance id contains standalone                   one node: restore and backup refused
//	backup id contains missing, unknown               does not exist
//	backup id contains expired, broken                exists, but cannot be restored
//	password contains wrong                           refused (Tencent and CRS)
//
// Huawei's ids are UUIDs, so these stand for the words above:
//
//	00000000-0000-0000-0000-000000000000   missing, as instance or backup
//	00000000-0000-0000-0000-00000000dead   unusable backup
//	00000000-0000-0000-0000-00000000fa11   instance whose work fails
//	00000000-0000-0000-0000-0000000003d0   instance with Redis 3.0
//	00000000-0000-0000-0000-00000000501e   instance with one node
//
// Any other backup id is taken as an existing, usable backup of the instance.
// Lists show the manual backups that were made and two that every instance has,
// one usable and one expired:
//
//	volcengine    b-0001                                 b-expired-0001
//	huawei        b0000000-0000-4000-8000-000000000001   00000000-0000-0000-0000-00000000dead
//	tencent       678362566696298532848117               expired-0001
//	tencent-crs   e824aecc-ef5e-11e6-a2c7-525400082493   expired-0001
//
// Tencent and CRS show the same instances, tasks and backups.
package emulator
