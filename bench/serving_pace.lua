-- Asks an endpoint at random moments, whether answers have come or not; run by wrk, for its LuaJIT.
--
-- wrk -t1 -c1 -d1s -s serving_pace.lua URL -- PORT RATE SECONDS CONNECTIONS SEED BODY OUT PID EVERY
--
-- wrk itself only asks again when it was answered, and pauses for whole milliseconds.  So this does all of it
-- before wrk would begin, straight on the sockets: it looks at the clock and at the sockets in turn and never
-- sleeps.  OUT gets three numbers of 64 bits for each request, in the order in which they were due: when that
-- was, how long after it the whole answer had come, and how late the request was sent though a connection was
-- free for it; all in seconds.  OUT.kept gets a line every so many seconds: the time, and for how long by then
-- the process PID and this one had been kept from their cores by others, and cores from this machine by its host.

local ffi = require "ffi"

ffi.cdef [[
typedef struct { uint16_t family; uint16_t port; uint32_t address; char unused[8]; } pace_address;
typedef struct { uint32_t events; uint32_t number; uint32_t unused; } __attribute__((packed)) pace_event;
typedef struct { long seconds; long nanoseconds; } pace_time;
int socket(int, int, int);
int connect(int, const pace_address *, unsigned);
int setsockopt(int, int, int, const int *, unsigned);
long send(int, const char *, size_t, int);
long recv(int, char *, size_t, int);
int epoll_create1(int);
int epoll_ctl(int, int, int, pace_event *);
int epoll_wait(int, pace_event *, int, int);
int clock_gettime(int, pace_time *);
]]

local INET, STREAM, TCP, NODELAY, ADD, IN, MONOTONIC = 2, 1, 6, 1, 1, 1, 1
local LOCALHOST = ffi.abi "le" and 0x0100007f or 0x7f000001
local ROOM = 262144
local CLOSING = string.byte "}"

local moment = ffi.new "pace_time"
local C = ffi.C

local function now()
  C.clock_gettime(MONOTONIC, moment)
  return tonumber(moment.seconds) + tonumber(moment.nanoseconds) * 1e-9
end

local function connected(port, count)
  local address, one, event = ffi.new "pace_address", ffi.new("int[1]", 1), ffi.new "pace_event"
  address.family = INET
  address.port = bit.bor(bit.lshift(bit.band(port, 255), 8), bit.rshift(port, 8))
  address.address = LOCALHOST
  local poll, sockets = C.epoll_create1(0), ffi.new("int[?]", count)
  for n = 0, count - 1 do
    sockets[n] = C.socket(INET, STREAM, 0)
    assert(C.connect(sockets[n], address, ffi.sizeof(address)) == 0, "no connection")
    C.setsockopt(sockets[n], TCP, NODELAY, one, ffi.sizeof "int")
    event.events, event.number = IN, n
    assert(C.epoll_ctl(poll, ADD, sockets[n], event) == 0, "no poll")
  end
  return poll, sockets
end

local function waited(process)
  local file = io.open("/proc/" .. process .. "/schedstat")
  if not file then return 0 end
  local told = tonumber(file:read("*l"):match "^%d+ (%d+)")
  file:close()
  return told * 1e-9
end

local function stolen()
  local file = io.open "/proc/stat"
  if not file then return 0 end
  local told = file:read("*l"):match "^cpu +%d+ %d+ %d+ %d+ %d+ %d+ %d+ (%d+)"
  file:close()
  return tonumber(told) / 100
end

local function kept(pid)
  return string.format("%.9f %.9f\n", now(), waited(pid) + waited "self" + stolen())
end

local function paced(port, rate, seconds, count, request, look, every)
  local poll, sockets = connected(port, count)
  -- A random number of requests comes; so many more than is likely never do.
  local most = math.floor(rate * seconds + 10 * math.sqrt(rate * seconds)) + 100
  local told = ffi.new("double[?]", 3 * most)
  local idle, asked, begun = ffi.new("int[?]", count), ffi.new("int[?]", count), ffi.new("bool[?]", count)
  local events, buffer = ffi.new("pace_event[?]", count), ffi.new("char[?]", ROOM)
  for n = 0, count - 1 do idle[n] = n end
  local free, sent, done = count, 0, 0
  local due = now() + 0.01
  local over = due + seconds
  -- Since when there has been a free connection.
  local since = 0
  local looks, next_look = {}, due
  while due < over or done < sent do
    local t = now()
    if t >= next_look then
      looks[#looks + 1] = look()
      next_look = next_look + every
      t = now()
    end
    while due <= t and due < over and sent < most and free > 0 do
      free = free - 1
      local n = idle[free]
      asked[n] = sent
      told[3 * sent] = due
      told[3 * sent + 2] = t - math.max(due, since)
      assert(C.send(sockets[n], request, #request, 0) == #request, "a request does not fit into a socket")
      sent = sent + 1
      due = due - math.log(1 - math.random()) / rate
      t = now()
    end
    for k = 0, C.epoll_wait(poll, events, count, 0) - 1 do
      local n = events[k].number
      local size = tonumber(C.recv(sockets[n], buffer, ROOM, 0))
      assert(size > 12, "a connection was closed")
      if not begun[n] then
        assert(ffi.string(buffer, 12) == "HTTP/1.1 200", "a request was refused")
        begun[n] = true
      end
      -- Nothing else ends like this; to look for the length would take longer than to send.
      if buffer[size - 1] == CLOSING and buffer[size - 2] == CLOSING then
        local at = asked[n]
        told[3 * at + 1] = now() - told[3 * at]
        begun[n] = false
        done = done + 1
        if free == 0 then since = now() end
        idle[free] = n
        free = free + 1
      end
    end
  end
  looks[#looks + 1] = look()
  return ffi.string(told, 24 * done), table.concat(looks)
end

local function put(path, text)
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
end

function init(arguments)
  local port, rate, seconds, count, seed, path, out, pid, every = unpack(arguments, 1, 9)
  local file = assert(io.open(path, "rb"))
  local body = file:read "*a"
  file:close()
  local head = "POST /score HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
  local request = head:format(#body) .. body
  local function look() return kept(pid) end
  math.randomseed(tonumber(seed))
  local told, looks =
    paced(tonumber(port), tonumber(rate), tonumber(seconds), tonumber(count), request, look, tonumber(every))
  put(out, told)
  put(out .. ".kept", looks)
  os.exit(0)
end
