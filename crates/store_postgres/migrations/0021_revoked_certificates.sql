-- Certificates that a client has issued and that count no more: {"before":1767225600000,"seeds":[["SeedSeed...",1769904000000]]}.
-- NULL: none was revoked. A program that does not know the column would accept them: none may go on beside this file.
ALTER TABLE clients ADD COLUMN revoked_certificates TEXT;
