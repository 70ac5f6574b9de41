-- beside: 28
-- What a device calls itself, which the page of its code proposes as the name of the grant. NULL: it says nothing, as older programs write it.
ALTER TABLE device_requests ADD COLUMN device_name TEXT;
