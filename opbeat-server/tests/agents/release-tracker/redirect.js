// The release tracker always posts to https://intake.opbeat.com and has no option for another server. This module sends
// these requests to the server of the test, over plain HTTP. Node loads it before the program: `node -r ./redirect.js`.
'use strict'

const http = require('http')
const https = require('https')

const server = new URL(process.env.OPBEAT_SERVER_URL)
const request = https.request

https.request = function (options, ...rest) {
  if (options.hostname !== 'intake.opbeat.com') return request.call(https, options, ...rest)
  return http.request({ ...options, hostname: server.hostname, port: server.port }, ...rest)
}
