// Runs kinesalite on loopback. Its one argument is JSON: {modules, port, path, createStreamMs}. It prints one line,
// {"port":…} or {"error":…}, and ends when its standard input does: with its parent, however that ends.
import { createRequire } from 'node:module'

const options = JSON.parse(process.argv.at(-1))
const require = createRequire(options.modules + '/')
const fail = error => { console.log(JSON.stringify({ error: String(error?.message ?? error) })); process.exit(1) }

process.stdin.on('end', () => process.exit(0)).on('error', () => process.exit(0)).resume()

// kinesalite throws when a client hangs up in the middle of a request. A server must bear that.
process.on('uncaughtException', error => {
  if (error.code === 'ECONNRESET') return
  console.error(error)
  process.exit(1)
})

// LevelDB is opened late and its error would go unseen; a server that has just been killed may still hold it.
async function available (path, attempts = 50) {
  const database = require('leveldown')(path)
  for (;;) {
    const error = await new Promise(resolve => database.open(resolve))
    if (!error) return new Promise(resolve => database.close(resolve))
    if (--attempts === 0) throw error
    await new Promise(resolve => setTimeout(resolve, 100))
  }
}

try {
  if (options.path) await available(options.path)
  const server = require('kinesalite')({ path: options.path || undefined, createStreamMs: options.createStreamMs, shardLimit: 100 })
  server.on('error', fail)
  server.listen(options.port, '127.0.0.1', () => console.log(JSON.stringify({ port: server.address().port })))
} catch (error) {
  fail(error)
}
