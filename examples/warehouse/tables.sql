-- The warehouse of this example: three small tables.
CREATE SCHEMA product;
CREATE SCHEMA billing;

CREATE TABLE product.users AS
SELECT * FROM (VALUES
  ('ada',   TIMESTAMPTZ '2026-03-02 09:00:00+01:00', 'free'),
  ('ben',   TIMESTAMPTZ '2026-03-03 10:00:00+01:00', 'trial'),
  ('cleo',  TIMESTAMPTZ '2026-03-05 11:00:00+01:00', 'free'),
  ('dan',   TIMESTAMPTZ '2026-03-06 12:00:00+01:00', 'paid'),
  ('edith', TIMESTAMPTZ '2026-03-25 13:00:00+01:00', 'free')
) AS t (user_id, signed_up_at, signup_plan);

CREATE TABLE product.events AS
SELECT * FROM (VALUES
  ('ada',   'login',            TIMESTAMPTZ '2026-03-02 09:05:00+01:00'),
  ('ada',   'teammate_invited', TIMESTAMPTZ '2026-03-02 09:20:00+01:00'),
  ('ada',   'login',            TIMESTAMPTZ '2026-03-03 23:30:00+01:00'),
  ('ada',   'teammate_invited', TIMESTAMPTZ '2026-03-04 00:10:00+01:00'),
  ('ben',   'login',            TIMESTAMPTZ '2026-03-03 10:10:00+01:00'),
  ('ben',   'teammate_invited', TIMESTAMPTZ '2026-03-11 10:00:00+01:00'),
  ('cleo',  'teammate_invited', TIMESTAMPTZ '2026-03-05 11:30:00+01:00'),
  ('cleo',  'teammate_invited', TIMESTAMPTZ '2026-03-06 08:00:00+01:00'),
  ('cleo',  'login',            TIMESTAMPTZ '2026-03-07 08:00:00+01:00'),
  ('dan',   'login',            TIMESTAMPTZ '2026-03-06 12:30:00+01:00'),
  ('edith', 'teammate_invited', TIMESTAMPTZ '2026-03-25 13:30:00+01:00'),
  ('edith', 'teammate_invited', TIMESTAMPTZ '2026-03-27 09:00:00+01:00'),
  ('edith', 'login',            TIMESTAMPTZ '2026-03-29 22:30:00+02:00'),
  ('ben',   'login',            TIMESTAMPTZ '2026-03-30 09:00:00+02:00')
) AS t (user_id, event, occurred_at);

CREATE TABLE billing.upgrades AS
SELECT * FROM (VALUES
  ('cleo', TIMESTAMPTZ '2026-03-20 15:00:00+01:00')
) AS t (user_id, paid_at);
