/// Scripts of operators: they look at, and mend, what the scripts of requests keep.
enum InspectionScripts {
    static let all = [look, cool, announce]

    /// Reads states and counts slots at one moment. Writes nothing.
    ///
    /// KEYS: states, then slots. ARGV[1]: how many are states. Reply: the time in digits, then a value for each key.
    static let look = RedisScript(
        name: "look",
        text: Script.text(
            """
            local now = clock()
            local digits = format('%.0f', now)
            local reply = {digits}
            for i = 1, #KEYS do
              if i <= tonumber(ARGV[1]) then
                reply[i + 1] = call('GET', KEYS[i])
              else
                reply[i + 1] = call('ZCOUNT', KEYS[i], '(' .. digits, '+inf')
              end
            end
            return reply
            """
        )
    )

    /// Makes a deployment cool for so many milliseconds, or with 0 puts it back into service, without a streak or a probe.
    ///
    /// KEYS: its state. ARGV[1]: milliseconds.
    static let cool = RedisScript(
        name: "cool",
        text: Script.text(
            """
            local now, time = clock(), tonumber(ARGV[1])
            local stamp, r, k, cool, streak, probe, live, last = deploymentAt(KEYS[1], call('GET', KEYS[1]), now)
            if time > 0 then cool = now + time else cool, streak, probe = 0, 0, 0 end
            local keep = call('PTTL', KEYS[1])
            if keep < time + 600000 then keep = time + 600000 end
            call('SET', KEYS[1], packed(stamp, r, k, cool, streak, probe, live, last), 'PX', format('%.0f', keep))
            return 1
            """
        )
    )

    /// Says what a process runs with, and what the others do. Those that have not said it again in time are forgotten.
    ///
    /// KEYS: a hash. ARGV: the process, what it says, for how many milliseconds. Reply: `process text` of each.
    static let announce = RedisScript(
        name: "announce",
        text: Script.text(
            """
            local now, term = clock(), tonumber(ARGV[3])
            call('HSET', KEYS[1], ARGV[1], format('%.0f ', now + term) .. ARGV[2])
            call('PEXPIRE', KEYS[1], format('%.0f', 5 * term))
            local all, reply = call('HGETALL', KEYS[1]), {}
            for i = 1, #all, 2 do
              local last, text = all[i + 1]:match('^(%d+) (.*)$')
              if not last or tonumber(last) <= now then
                call('HDEL', KEYS[1], all[i])
              else
                reply[#reply + 1] = all[i] .. ' ' .. text
              end
            end
            return reply
            """
        )
    )
}
