// Runs kinesalite on loopback. Its one argument is JSON: {modules, port, path, createStreamMs}. It prints one line,
// {"port":…} or {"error":…}, and ends when its standard input does: with its parent, however that ends.
import { createRequire } from 'node:module'

const options = JSON.parse(process.argv.at(-1))
const require = createRequire(options.modules + '/')
const fail = error => { console.log(JSON.stringify({ error: String(error?.message ?? error) })); process.exit(1) }

process.umask(0o077) // the stream's records are customers' data
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

// foreign is package loopback's Guard: it tells a web page of another origin, and a name that points at this machine.
function foreign ({ headers }) {
  const host = (headers.host ?? '').replace(/:\d+$/, '').toLowerCase()
  const here = host === 'localhost' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host)
  const origin = headers.origin
  return !here || (origin !== undefined && origin.toLowerCase() !== `http://${headers.host}`.toLowerCase()) ||
    !['none', 'same-origin', undefined].includes(headers['sec-fetch-site'])
}

// guard answers foreign requests before kinesalite sees them, and takes its answer to every origin out of the others.
function guard (server) {
  const [serve] = server.listeners('request')
  server.removeAllListeners('request').on('request', (request, response) => {
    if (foreign(request)) {
      response.writeHead(403, { 'Content-Type': 'text/plain' })
      return response.end('AccessDenied: this server is for programs on this machine, and for no page of another origin\n')
    }
    delete request.headers.origin // kinesalite would answer with Access-Control-Allow-Origin: *
    serve.call(server, request, response)
  })
}

try {
  if (options.path) await available(options.path)
  const server = require('kinesalite')({ path: options.path || undefined, createStreamMs: options.createStreamMs, shardLimit: 100 })
  server.on('error', fail)
  guard(server)
  server.listen(options.port, '127.0.0.1', () => console.log(JSON.stringify({ port: server.address().port })))
} catch (error) {
  fail(error)
}
