-- Newcomers who came back and brought others (first-week, version 1)
-- A user who, within 7 days of signup, has 2 or more teammate_invited events and 3 or more active
-- days. Only users whose signup_plan is free or trial. Success is a conversion within 30 days of
-- qualifying. A lead is fresh for 14 days and may qualify again 30 days after it lapsed.
WITH

-- Everything is known up to the newest row; none is believed that lies more than a day ahead. Times
-- are microseconds since 1970 in UTC
parameters AS (
  SELECT
    MAX(at_us) AS as_of_us
  FROM (
    SELECT
      MAX(EPOCH_US(e.occurred_at)) AS at_us
    FROM product.events AS e
    WHERE
      EPOCH_US(e.occurred_at) <= EPOCH_US(CURRENT_TIMESTAMP) + 86400000000
    UNION ALL
    SELECT
      MAX(EPOCH_US(c.paid_at)) AS at_us
    FROM billing.upgrades AS c
    WHERE
      EPOCH_US(c.paid_at) <= EPOCH_US(CURRENT_TIMESTAMP) + 86400000000
  ) AS newest
),

-- The events up to then
known_events AS (
  SELECT
    EPOCH_US(e.occurred_at) AS at_us,
    e.event AS event,
    e.user_id AS user_id
  FROM product.events AS e
  CROSS JOIN parameters AS p
  WHERE
    EPOCH_US(e.occurred_at) <= p.as_of_us
    AND EPOCH_US(e.occurred_at) >= 946684800000000
),

-- Every row of users
all_users AS (
  SELECT
    r.user_id AS entity_id,
    r.signup_plan AS trait_1,
    EPOCH_US(r.signed_up_at) AS signed_up_us,
    CAST(NULL AS BIGINT) AS deleted_us
  FROM product.users AS r
  WHERE
    NOT r.user_id IS NULL
),

-- The users: one row each, the earliest signup
users_listed AS (
  SELECT
    r.entity_id,
    r.trait_1,
    r.signed_up_us,
    CASE WHEN r.deleted_us <= p.as_of_us THEN r.deleted_us END AS deleted_us
  FROM (
    SELECT
      r.*,
      ROW_NUMBER() OVER (
        PARTITION BY r.entity_id
        ORDER BY CASE WHEN r.signed_up_us IS NULL THEN 1 ELSE 0 END, r.signed_up_us
      ) AS place
    FROM all_users AS r
    CROSS JOIN parameters AS p
    WHERE
      r.signed_up_us IS NULL OR r.signed_up_us <= p.as_of_us
  ) AS r
  CROSS JOIN parameters AS p
  WHERE
    r.place = 1
),

-- The events of each user
owned_events AS (
  SELECT
    n.entity_id,
    e.*
  FROM known_events AS e
  JOIN users_listed AS n
    ON n.entity_id = e.user_id
),

-- The first conversion of each that counts
first_conversions AS (
  SELECT
    n.entity_id,
    MIN(EPOCH_US(c.paid_at)) AS converted_us
  FROM billing.upgrades AS c
  CROSS JOIN parameters AS p
  JOIN users_listed AS n
    ON n.entity_id = c.user_id
  WHERE
    EPOCH_US(c.paid_at) <= p.as_of_us
  GROUP BY
    n.entity_id
),

-- Each clock starts with the signup
clocks AS (
  SELECT
    n.*,
    n.signed_up_us AS anchor_us
  FROM users_listed AS n
),

-- Only what came before the conversion counts
everybody AS (
  SELECT
    n.*,
    f.converted_us,
    CASE WHEN NOT f.converted_us IS NULL THEN f.converted_us - 1 ELSE p.as_of_us END AS end_us
  FROM clocks AS n
  CROSS JOIN parameters AS p
  LEFT JOIN first_conversions AS f
    ON f.entity_id = n.entity_id
),

-- The users whose clock has started
lives AS (
  SELECT
    n.*
  FROM everybody AS n
  WHERE
    NOT n.anchor_us IS NULL
),

-- Criterion invites: 2 or more teammate_invited events within 7 days of signup
invites_events AS (
  SELECT
    e.entity_id,
    e.at_us
  FROM owned_events AS e
  JOIN lives AS l
    ON l.entity_id = e.entity_id
  WHERE
    (
      (
        e.event = 'teammate_invited' AND e.at_us <= l.end_us
      )
      AND e.at_us >= l.anchor_us
    )
    AND e.at_us < l.anchor_us + 604800000000 /* 7d */
),

-- invites: the level after each change
invites_levels AS (
  SELECT
    e.entity_id,
    e.at_us,
    SUM(COUNT(*)) OVER (
      PARTITION BY entity_id
      ORDER BY at_us
      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS level
  FROM invites_events AS e
  GROUP BY
    e.entity_id,
    e.at_us
),

-- invites: reached for good
invites_spells AS (
  SELECT
    s.entity_id,
    CASE WHEN s.on_us < l.anchor_us THEN l.anchor_us ELSE s.on_us END AS on_us,
    CAST(NULL AS BIGINT) AS off_us
  FROM (
    SELECT
      v.entity_id,
      MIN(v.at_us) AS on_us
    FROM invites_levels AS v
    JOIN lives AS l
      ON l.entity_id = v.entity_id
    WHERE
      v.level >= 2
    GROUP BY
      v.entity_id
  ) AS s
  JOIN lives AS l
    ON l.entity_id = s.entity_id
  WHERE
    s.on_us <= l.end_us AND l.anchor_us <= l.end_us
),

-- invites: how much there is
invites_values AS (
  SELECT
    e.entity_id,
    COUNT(*) AS value
  FROM invites_events AS e
  GROUP BY
    e.entity_id
),

-- Criterion active_days: 3 or more active days within 7 days of signup
active_days_events AS (
  SELECT
    e.entity_id,
    e.at_us,
    CAST((
      MAKE_TIMESTAMPTZ(e.at_us)
    ) AT TIME ZONE 'Europe/Berlin' AS DATE) AS value
  FROM owned_events AS e
  JOIN lives AS l
    ON l.entity_id = e.entity_id
  WHERE
    (
      e.at_us <= l.end_us AND e.at_us >= l.anchor_us
    )
    AND e.at_us < l.anchor_us + 604800000000 /* 7d */
),

-- active_days: when each thing came first
active_days_firsts AS (
  SELECT
    e.entity_id,
    e.value,
    MIN(e.at_us) AS at_us
  FROM active_days_events AS e
  GROUP BY
    e.entity_id,
    e.value
),

-- active_days: the level after each change
active_days_levels AS (
  SELECT
    e.entity_id,
    e.at_us,
    SUM(COUNT(*)) OVER (
      PARTITION BY entity_id
      ORDER BY at_us
      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS level
  FROM active_days_firsts AS e
  GROUP BY
    e.entity_id,
    e.at_us
),

-- active_days: reached for good
active_days_spells AS (
  SELECT
    s.entity_id,
    CASE WHEN s.on_us < l.anchor_us THEN l.anchor_us ELSE s.on_us END AS on_us,
    CAST(NULL AS BIGINT) AS off_us
  FROM (
    SELECT
      v.entity_id,
      MIN(v.at_us) AS on_us
    FROM active_days_levels AS v
    JOIN lives AS l
      ON l.entity_id = v.entity_id
    WHERE
      v.level >= 3
    GROUP BY
      v.entity_id
  ) AS s
  JOIN lives AS l
    ON l.entity_id = s.entity_id
  WHERE
    s.on_us <= l.end_us AND l.anchor_us <= l.end_us
),

-- active_days: how much there is
active_days_values AS (
  SELECT
    e.entity_id,
    COUNT(DISTINCT e.value) AS value
  FROM active_days_events AS e
  GROUP BY
    e.entity_id
),

-- When a part of the formula begins and ends to hold: 2 or more teammate_invited events within 7 days
-- of signup and 3 or more active days within 7 days of signup
changes AS (
  SELECT
    s.entity_id,
    s.on_us AS at_us,
    1 AS is_invites,
    0 AS is_active_days
  FROM invites_spells AS s
  UNION ALL
  SELECT
    s.entity_id,
    s.off_us AS at_us,
    -1 AS is_invites,
    0 AS is_active_days
  FROM invites_spells AS s
  WHERE
    NOT s.off_us IS NULL
  UNION ALL
  SELECT
    s.entity_id,
    s.on_us AS at_us,
    0 AS is_invites,
    1 AS is_active_days
  FROM active_days_spells AS s
  UNION ALL
  SELECT
    s.entity_id,
    s.off_us AS at_us,
    0 AS is_invites,
    -1 AS is_active_days
  FROM active_days_spells AS s
  WHERE
    NOT s.off_us IS NULL
),

-- Whether the whole formula holds after each change
states AS (
  SELECT
    v.entity_id,
    v.at_us,
    CASE WHEN v.is_invites = 1 AND v.is_active_days = 1 THEN 1 ELSE 0 END AS held
  FROM (
    SELECT
      c.entity_id,
      c.at_us,
      SUM(SUM(c.is_invites)) OVER (
        PARTITION BY c.entity_id
        ORDER BY c.at_us
        ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
      ) AS is_invites,
      SUM(SUM(c.is_active_days)) OVER (
        PARTITION BY c.entity_id
        ORDER BY c.at_us
        ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
      ) AS is_active_days
    FROM changes AS c
    GROUP BY
      c.entity_id,
      c.at_us
  ) AS v
),

-- From when to when the whole formula holds: what held before each change
formula_turns AS (
  SELECT
    t.entity_id,
    t.at_us,
    t.held,
    LAG(t.held) OVER (PARTITION BY t.entity_id ORDER BY t.at_us) AS held_before
  FROM states AS t
),

-- From when to when the whole formula holds
formula_spells AS (
  SELECT
    s.entity_id,
    CASE WHEN s.on_us < l.anchor_us THEN l.anchor_us ELSE s.on_us END AS on_us,
    CASE WHEN s.off_us <= l.end_us THEN s.off_us END AS off_us
  FROM (
    SELECT
      t.entity_id,
      t.held,
      t.at_us AS on_us,
      LEAD(t.at_us) OVER (PARTITION BY t.entity_id ORDER BY t.at_us) AS off_us
    FROM formula_turns AS t
    WHERE
      t.held <> COALESCE(t.held_before, 0)
  ) AS s
  JOIN lives AS l
    ON l.entity_id = s.entity_id
  WHERE
    (
      s.on_us <= l.end_us
      AND l.anchor_us <= l.end_us
      AND (
        s.off_us IS NULL OR s.off_us > l.anchor_us
      )
    )
    AND s.held = 1
),

-- Who is eligible today, and who was as far as the past is known
eligibility AS (
  SELECT
    n.*,
    CASE
      WHEN CAST(n.trait_1 AS TEXT) IN ('free', 'trial') AND n.deleted_us IS NULL
      THEN 1
      ELSE 0
    END AS is_eligible,
    CASE WHEN CAST(n.trait_1 AS TEXT) IN ('free', 'trial') THEN 1 ELSE 0 END AS was_eligible,
    CASE WHEN n.anchor_us IS NULL OR n.deleted_us < n.anchor_us THEN 1 ELSE 0 END AS is_invalid
  FROM everybody AS n
),

-- How much each has done, and what holds now
measured AS (
  SELECT
    n.*,
    CASE
      WHEN NOT n.anchor_us IS NULL
      THEN COALESCE(CAST(v0.value AS DOUBLE), CAST(0 AS DOUBLE))
    END AS value_invites,
    CASE WHEN NOT h0.entity_id IS NULL THEN 1 ELSE 0 END AS is_invites,
    CASE
      WHEN NOT n.anchor_us IS NULL AND n.anchor_us + 604800000000 /* 7d */ > p.as_of_us
      THEN 1
      ELSE 0
    END AS can_invites,
    CASE
      WHEN NOT n.anchor_us IS NULL
      THEN COALESCE(CAST(v1.value AS DOUBLE), CAST(0 AS DOUBLE))
    END AS value_active_days,
    CASE WHEN NOT h1.entity_id IS NULL THEN 1 ELSE 0 END AS is_active_days,
    CASE
      WHEN NOT n.anchor_us IS NULL AND n.anchor_us + 604800000000 /* 7d */ > p.as_of_us
      THEN 1
      ELSE 0
    END AS can_active_days
  FROM eligibility AS n
  CROSS JOIN parameters AS p
  LEFT JOIN (
    SELECT
      s.entity_id
    FROM invites_spells AS s
    WHERE
      s.off_us IS NULL
  ) AS h0
    ON h0.entity_id = n.entity_id
  LEFT JOIN invites_values AS v0
    ON v0.entity_id = n.entity_id
  LEFT JOIN (
    SELECT
      s.entity_id
    FROM active_days_spells AS s
    WHERE
      s.off_us IS NULL
  ) AS h1
    ON h1.entity_id = n.entity_id
  LEFT JOIN active_days_values AS v1
    ON v1.entity_id = n.entity_id
),

-- How far each has come: 1 = met, -1 = cannot be done any more
standings AS (
  SELECT
    m.*,
    CASE
      WHEN m.is_invites = 1
      THEN 1.0
      WHEN m.can_invites = 0
      THEN -1.0
      WHEN m.value_invites >= 2.0
      THEN 1.0
      WHEN m.value_invites > 0
      THEN m.value_invites / 2.0
      ELSE 0.0
    END AS share_invites,
    CASE
      WHEN m.is_active_days = 1
      THEN 1.0
      WHEN m.can_active_days = 0
      THEN -1.0
      WHEN m.value_active_days >= 3.0
      THEN 1.0
      WHEN m.value_active_days > 0
      THEN m.value_active_days / 3.0
      ELSE 0.0
    END AS share_active_days
  FROM measured AS m
),

-- When each did anything last
activity AS (
  SELECT
    e.entity_id,
    MAX(e.at_us) AS last_active_us
  FROM owned_events AS e
  GROUP BY
    e.entity_id
),

-- Who can still qualify, and how far everybody has come
progress AS (
  SELECT
    s.*,
    s.is_invites + s.is_active_days AS met,
    CASE WHEN s.value_invites > 0 OR s.value_active_days > 0 THEN 1 ELSE 0 END AS has_begun,
    CASE
      WHEN (
        s.is_invites = 1 OR s.can_invites = 1
      )
      AND (
        s.is_active_days = 1 OR s.can_active_days = 1
      )
      THEN 1
      ELSE 0
    END AS is_possible,
    CASE
      WHEN s.share_invites < 0 OR s.share_active_days < 0
      THEN -1.0
      ELSE (
        s.share_invites + s.share_active_days
      ) / 2.0
    END AS way,
    CASE
      WHEN CASE WHEN s.is_invites = 1 AND NOT s.value_invites IS NULL THEN 1 ELSE 0 END + CASE WHEN s.is_active_days = 1 AND NOT s.value_active_days IS NULL THEN 1 ELSE 0 END > 0
      THEN (
        CASE
          WHEN NOT (
            s.is_invites = 1 AND NOT s.value_invites IS NULL
          )
          THEN 0.0
          WHEN s.value_invites < 2.0
          THEN 0.0
          WHEN s.value_invites > 4.0
          THEN 1.0
          ELSE (
            s.value_invites - 2.0
          ) / 2.0
        END + CASE
          WHEN NOT (
            s.is_active_days = 1 AND NOT s.value_active_days IS NULL
          )
          THEN 0.0
          WHEN s.value_active_days < 3.0
          THEN 0.0
          WHEN s.value_active_days > 6.0
          THEN 1.0
          ELSE (
            s.value_active_days - 3.0
          ) / 3.0
        END
      ) / (
        CASE WHEN s.is_invites = 1 AND NOT s.value_invites IS NULL THEN 1 ELSE 0 END + CASE WHEN s.is_active_days = 1 AND NOT s.value_active_days IS NULL THEN 1 ELSE 0 END
      )
      ELSE 0.0
    END AS points,
    a.last_active_us
  FROM standings AS s
  LEFT JOIN activity AS a
    ON a.entity_id = s.entity_id
),

-- What each did, and what it lacks, in words
judged AS (
  SELECT
    s.*,
    NULLIF(
      SUBSTRING(
        COALESCE(
          '; ' || CASE
            WHEN s.value_invites <> 0
            THEN CASE
              WHEN s.value_invites = 1
              THEN '1 teammate invited'
              ELSE CAST(CAST(s.value_invites AS BIGINT) AS TEXT) || ' teammates invited'
            END
          END,
          ''
        ) || COALESCE(
          '; ' || CASE
            WHEN s.value_active_days <> 0
            THEN CASE
              WHEN s.value_active_days = 1
              THEN 'active on 1 day'
              ELSE 'active on ' || CAST(CAST(s.value_active_days AS BIGINT) AS TEXT) || ' days'
            END
          END,
          ''
        ),
        3
      ),
      ''
    ) AS evidence,
    CASE
      WHEN NOT (
        s.is_invites = 1 AND s.is_active_days = 1
      )
      THEN NULLIF(
        SUBSTRING(
          COALESCE(
            '; ' || CASE
              WHEN s.is_invites = 0 AND s.can_invites = 1
              THEN CASE
                WHEN s.value_invites < 2.0
                THEN CASE
                  WHEN s.value_invites = 0
                  THEN CASE
                    WHEN (
                      2.0 - s.value_invites
                    ) = 1
                    THEN '1 teammate invited'
                    ELSE CAST(CAST((
                      2.0 - s.value_invites
                    ) AS BIGINT) AS TEXT) || ' teammates invited'
                  END
                  ELSE CASE
                    WHEN (
                      2.0 - s.value_invites
                    ) = 1
                    THEN '1 more teammate invite'
                    ELSE CAST(CAST((
                      2.0 - s.value_invites
                    ) AS BIGINT) AS TEXT) || ' more teammate invites'
                  END
                END
              END
            END,
            ''
          ) || COALESCE(
            '; ' || CASE
              WHEN s.is_active_days = 0 AND s.can_active_days = 1
              THEN CASE
                WHEN s.value_active_days < 3.0
                THEN CASE
                  WHEN s.value_active_days = 0
                  THEN CASE
                    WHEN (
                      3.0 - s.value_active_days
                    ) = 1
                    THEN 'active on 1 day'
                    ELSE 'active on ' || CAST(CAST((
                      3.0 - s.value_active_days
                    ) AS BIGINT) AS TEXT) || ' days'
                  END
                  ELSE CASE
                    WHEN (
                      3.0 - s.value_active_days
                    ) = 1
                    THEN 'active on 1 more day'
                    ELSE 'active on ' || CAST(CAST((
                      3.0 - s.value_active_days
                    ) AS BIGINT) AS TEXT) || ' more days'
                  END
                END
              END
            END,
            ''
          ),
          3
        ),
        ''
      )
    END AS lacking
  FROM progress AS s
),

-- Spells of who is eligible today, or was when they began
counted_spells AS (
  SELECT
    w.entity_id,
    w.on_us,
    w.off_us,
    LAG(w.off_us) OVER (PARTITION BY w.entity_id ORDER BY w.on_us) AS ended_us,
    ROW_NUMBER() OVER (PARTITION BY w.entity_id ORDER BY w.on_us) AS place,
    ROW_NUMBER() OVER (PARTITION BY w.entity_id ORDER BY w.on_us DESC) AS place_from_end
  FROM formula_spells AS w
  JOIN eligibility AS n
    ON n.entity_id = w.entity_id
  WHERE
    (
      n.was_eligible = 1 OR n.is_eligible = 1
    )
),

-- A spell that begins within the cooldown is no new start
starts AS (
  SELECT
    w.*,
    CASE
      WHEN w.place = 1 OR w.on_us >= w.ended_us + 2592000000000 /* 30d */
      THEN w.on_us
    END AS start_us
  FROM counted_spells AS w
),

-- First and newest start
moments AS (
  SELECT
    w.entity_id,
    MIN(w.on_us) AS qualified_us,
    MAX(
      CASE
        WHEN w.place_from_end = 1 AND w.on_us - w.ended_us >= 2592000000000 /* 30d */
        THEN w.on_us
      END
    ) AS requalified_us,
    MAX(w.start_us) AS newest_us,
    MAX(CASE WHEN w.place_from_end = 1 AND w.off_us IS NULL THEN 1 ELSE 0 END) AS is_on
  FROM starts AS w
  GROUP BY
    w.entity_id
),

-- Where everybody stands: the first that fits
statuses AS (
  SELECT
    j.*,
    m.is_on,
    m.qualified_us,
    m.requalified_us,
    m.newest_us,
    CASE
      WHEN NOT j.converted_us IS NULL
      THEN 'customer'
      WHEN j.is_eligible = 0 OR j.anchor_us IS NULL OR j.is_invalid = 1
      THEN 'ineligible'
      WHEN m.is_on = 1 AND m.newest_us + 1209600000000 < p.as_of_us
      THEN 'expired'
      WHEN m.is_on = 1
      THEN 'pql'
      WHEN NOT m.qualified_us IS NULL
      THEN 'lapsed'
      WHEN j.has_begun = 1
      AND j.way >= 0.8 - 0.000000001
      AND j.last_active_us > p.as_of_us - 1209600000000
      THEN 'near'
      WHEN j.is_possible = 0
      THEN 'missed'
      WHEN j.has_begun = 1
      THEN 'started'
      ELSE 'inactive'
    END AS status
  FROM judged AS j
  CROSS JOIN parameters AS p
  LEFT JOIN moments AS m
    ON m.entity_id = j.entity_id
)

SELECT
  j.entity_id AS user_id,
  CASE
    WHEN NOT j.newest_us IS NULL
    THEN LEFT(
      SHA256(
        'first-week/user/' || CAST(j.newest_us AS TEXT) || '/' || CAST(j.entity_id AS TEXT)
      ),
      16
    )
  END AS lead_id,
  j.status AS status,
  CASE
    WHEN j.is_on = 1
    THEN 50 + CAST(FLOOR(30.0 * j.points + 0.000000001) AS BIGINT) + CASE
      WHEN p.as_of_us - j.newest_us < 1209600000000
      THEN CAST(FLOOR(20.0 * (
        j.newest_us + 1209600000000 - p.as_of_us
      ) / 1209600000000) AS BIGINT)
      ELSE 0
    END
    ELSE CAST(FLOOR(50.0 * j.met / 2) AS BIGINT)
  END AS score,
  CAST(NULL AS TEXT) AS band,
  MAKE_TIMESTAMPTZ(j.qualified_us) AS qualified_at,
  MAKE_TIMESTAMPTZ(j.requalified_us) AS requalified_at,
  MAKE_TIMESTAMPTZ(j.newest_us) AS newest_start_at,
  CASE
    WHEN j.status = 'pql' AND j.newest_us > (
      p.as_of_us - 604800000000
    )
    THEN TRUE
    ELSE FALSE
  END AS newly_qualified,
  MAKE_TIMESTAMPTZ(j.newest_us + 1209600000000) AS fresh_until,
  MAKE_TIMESTAMPTZ(j.last_active_us) AS last_active_at,
  j.met AS met,
  2 AS criteria,
  CASE WHEN j.way >= 0 THEN CAST(j.way AS DOUBLE) END AS progress,
  CASE
    WHEN NOT (
      COALESCE(j.is_on, 0) = 1 OR NOT j.converted_us IS NULL OR j.is_possible = 0
    )
    THEN CASE
      WHEN LEFT(j.lacking, 1) = '('
      AND RIGHT(j.lacking, 1) = ')'
      AND STRPOS(SUBSTRING(j.lacking, 2, LENGTH(j.lacking) - 2), '(') = 0
      AND STRPOS(SUBSTRING(j.lacking, 2, LENGTH(j.lacking) - 2), ')') = 0
      THEN SUBSTRING(j.lacking, 2, LENGTH(j.lacking) - 2)
      ELSE j.lacking
    END
  END AS missing,
  j.evidence AS evidence,
  CASE WHEN j.is_invites = 1 THEN 'Ask who else should join.' END AS say,
  j.value_invites AS invites,
  j.value_active_days AS active_days,
  j.trait_1 AS signup_plan,
  'first-week' AS definition,
  1 AS definition_version,
  'e35a5177884e' AS definition_hash,
  MAKE_TIMESTAMPTZ(p.as_of_us) AS as_of
FROM statuses AS j
CROSS JOIN parameters AS p
