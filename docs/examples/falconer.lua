-- HAProxy asks the gateway about each request: `lua-load` this file in `global`, then `http-request lua.falconer` in a frontend or backend.
local gateway = "http://127.0.0.1:4180/.falconer/check"
local passed_on = {}
for _, name in ipairs({ "authorization", "cookie", "accept", "origin", "upgrade", "sec-fetch-site", "sec-fetch-mode", "sec-fetch-dest",
  "access-control-request-method", "x-http-method-override", "x-http-method", "x-method-override", "dpop" }) do passed_on[name] = true end

core.register_action("falconer", { "http-req" }, function(txn)
  local sent = txn.http:req_get_headers()
  local host = sent["host"] and sent["host"][0] or ""
  local headers = { ["x-original-request"] = { txn.sf:method() .. " " .. host .. " " .. txn.sf:pathq() .. " " .. txn.sf:src() } }
  for name, values in pairs(sent) do
    -- The service may read an underscore as a dash, so the gateway has to see both.
    local read_as = name:gsub("_", "-")
    if passed_on[read_as] then
      headers[name] = {}
      for number = 0, #values do table.insert(headers[name], values[number]) end
    end
  end
  local answer = core.httpclient():get({ url = gateway, headers = headers, timeout = 11000 })
  if answer and answer.status == 200 and answer.headers["falconer-caller"] then
    txn.http:req_set_header("falconer-caller", answer.headers["falconer-caller"][0])
    return
  end
  local reply = txn:reply({ status = answer and answer.status >= 300 and answer.status or 503 })
  for name, values in pairs(answer and answer.headers or {}) do
    if name ~= "content-length" and name ~= "connection" and name ~= "transfer-encoding" then
      for number = 0, #values do reply:add_header(name, values[number]) end
    end
  end
  reply:set_body(answer and answer.body or "")
  txn:done(reply)
end)
